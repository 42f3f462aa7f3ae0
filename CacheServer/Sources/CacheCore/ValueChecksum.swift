internal import PersistentCollections
internal import RESP

// The checksum of a value, for servers with `value-checksums yes`: 8 bytes behind the value, and a bit in the metadata
// of the entry. One map can contain entries with and without a checksum, so the setting can change at any time.
//
//     value │ checksum, 8 bytes, little-endian        metadata: bit 62 of the second word is 1
//
// Each step of the checksum is invertible, so a change inside one word always changes the checksum; any other change
// does with a probability of 1 - 2^-64. The checksum finds damaged memory and files. It is not a protection against a
// person who changes value and checksum.

/// The checksum of a value.
enum ValueChecksum {
  /// The size of a checksum, in bytes.
  static let byteCount = 8

  /// The checksum of `bytes`.
  ///
  /// - Complexity: O(bytes), a multiplication for eight of them.
  static func of(_ bytes: RawSpan) -> UInt64 {
    var state = UInt64(bytes.byteCount) ^ 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while offset &+ 8 <= bytes.byteCount {
      // SAFETY: the eight bytes are inside, and every bit pattern is a number.
      let word = UInt64(
        littleEndian: unsafe bytes.unsafeLoadUnaligned(
          fromUncheckedByteOffset: offset, as: UInt64.self))
      state = mixed(state, word)
      offset &+= 8
    }
    var rest: UInt64 = 0
    var shift: UInt64 = 0
    while offset < bytes.byteCount {
      rest |= UInt64(bytes[offset]) << shift
      shift &+= 8
      offset &+= 1
    }
    state = mixed(state, rest)
    return state ^ state >> 32
  }

  @inline(__always)
  private static func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
    let product = (state ^ word) &* 0xff51_afd7_ed55_8ccd
    return product << 31 | product >> 33
  }

  /// The value in front of the checksum, or `nil` if they do not match.
  @_lifetime(copy stored)
  static func content(of stored: RawSpan) -> RawSpan? {
    guard stored.byteCount >= byteCount else { return nil }
    let content = stored.extracting(0..<stored.byteCount - byteCount)
    // SAFETY: the eight bytes are inside, and every bit pattern is a number.
    let sum = UInt64(
      littleEndian: unsafe stored.unsafeLoadUnaligned(
        fromByteOffset: content.byteCount, as: UInt64.self))
    return sum == of(content) ? content : nil
  }

  /// The value of an entry that the map stores as `stored`.
  ///
  /// - Parameter isChecked: whether a checksum follows the value.
  /// - Returns: the value, or `nil` if it does not match its checksum.
  @inline(__always)
  @_lifetime(copy stored)
  static func content(of stored: RawSpan, isChecked: Bool) -> RawSpan? {
    guard isChecked else { return stored }
    return content(of: stored)
  }

  /// Writes the checksum of all but the last 8 bytes of `target` into those.
  static func write(to target: inout MutableRawSpan) {
    let count = target.byteCount - byteCount
    let sum = of(target.bytes.extracting(0..<count))
    target.storeBytes(of: sum.littleEndian, toByteOffset: count, as: UInt64.self)
  }
}

extension EntryMetadata {
  /// Whether a checksum follows the value.
  var hasChecksum: Bool {
    get { second >> 62 & 1 == 1 }
    set { second = second & ~(1 << 62) | (newValue ? 1 << 62 : 0) }
  }
}

extension PersistentByteMap {
  /// Stores `value`, with a checksum behind it if `isChecked`.
  @inline(__always)
  mutating func setValue(
    _ value: RawSpan, of key: RawSpan, metadata: EntryMetadata, isChecked: Bool
  ) throws(PersistentCollectionError) -> Bool {
    guard isChecked else { return try setValue(value, of: key, metadata: metadata) }
    return try setValue(of: key, byteCount: value.byteCount, metadata: metadata, isChecked: true) {
      // SAFETY: the target has the size of the value, and is not a view of it.
      unsafe $0.withUnsafeMutableBytes { target in
        unsafe value.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
      }
    }
  }

  /// Stores a value that `fill` writes, with a checksum behind it if `isChecked`.
  mutating func setValue(
    of key: RawSpan, byteCount: Int, metadata: EntryMetadata, isChecked: Bool,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> Bool {
    guard isChecked else {
      return try setValue(of: key, byteCount: byteCount, metadata: metadata, fill)
    }
    var metadata = metadata
    metadata.hasChecksum = true
    return try setValue(
      of: key, byteCount: byteCount + ValueChecksum.byteCount, metadata: metadata
    ) { target in
      var content = target._mutatingExtracting(first: byteCount)
      fill(&content)
      ValueChecksum.write(to: &target)
    }
  }
}
