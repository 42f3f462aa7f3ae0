internal import PersistentCollections
internal import RESP

// The checksum of a value, for servers with `value-checksums yes`: 8 bytes behind the value, and a bit in the notes of
// the entry, so entries with and without one are in one map, and the setting can change at any time.
//
//     value │ checksum, 8 bytes, little-endian        notes: bit 62 of the second word is 1
//
// Each word of the value is mixed in by a step that can be undone, so any change inside one word, and with a
// probability of 1 - 2^-64 any other, changes the checksum. It finds memory and files that were damaged; it is not a
// protection against a person who changes both.

/// The checksum of a value.
enum ValueChecksum {
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

  /// The value in front of the checksum; nil where that is not the checksum of it.
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

  /// The value that is stored as `stored`, with a checksum behind it where `isChecked`; nil where it does not match.
  @inline(__always)
  @_lifetime(copy stored)
  static func content(of stored: RawSpan, isChecked: Bool) -> RawSpan? {
    guard isChecked else { return stored }
    return content(of: stored)
  }

  /// Writes the checksum behind the value that `target` begins with.
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
  /// Stores `value`, with a checksum behind it where `isChecked`.
  @inline(__always)
  mutating func setValue(
    _ value: RawSpan, of key: RawSpan, metadata notes: EntryMetadata, isChecked: Bool
  ) throws(PersistentCollectionError) -> Bool {
    guard isChecked else { return try setValue(value, of: key, metadata: notes) }
    return try setValue(of: key, byteCount: value.byteCount, metadata: notes, isChecked: true) {
      // SAFETY: the target has the size of the value, and is not a view of it.
      unsafe $0.withUnsafeMutableBytes { target in
        unsafe value.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
      }
    }
  }

  /// Stores a value that `fill` writes, with a checksum behind it where `isChecked`.
  mutating func setValue(
    of key: RawSpan, byteCount: Int, metadata notes: EntryMetadata, isChecked: Bool,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> Bool {
    guard isChecked else {
      return try setValue(of: key, byteCount: byteCount, metadata: notes, fill)
    }
    var notes = notes
    notes.hasChecksum = true
    return try setValue(
      of: key, byteCount: byteCount + ValueChecksum.byteCount, metadata: notes
    ) { target in
      var content = target._mutatingExtracting(first: byteCount)
      fill(&content)
      ValueChecksum.write(to: &target)
    }
  }
}
