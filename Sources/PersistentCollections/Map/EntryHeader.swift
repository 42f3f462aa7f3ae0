/// The first word of an entry.
///
///     byte 0  bytes of the value, 4; of the key, 2; mark, 2
///          8  the metadata, 16
///         24  the key, and behind it the value
struct EntryHeader: Equatable {
  static let mark: UInt64 = 0xe17a
  static let byteCount: UInt64 = 24
  static let metadata: UInt64 = 8

  let keyByteCount: Int
  let valueByteCount: Int

  @inline(__always)
  init(keyByteCount: Int, valueByteCount: Int) {
    self.keyByteCount = keyByteCount
    self.valueByteCount = valueByteCount
  }

  /// The header in `word`; nil if it is not one.
  @inline(__always)
  init?(_ word: UInt64) {
    guard word &>> 48 == Self.mark else { return nil }
    valueByteCount = Int(truncatingIfNeeded: word & 0xffff_ffff)
    keyByteCount = Int(truncatingIfNeeded: word &>> 32 & 0xffff)
  }

  @inline(__always)
  var word: UInt64 {
    UInt64(truncatingIfNeeded: valueByteCount) | UInt64(truncatingIfNeeded: keyByteCount) &<< 32
      | Self.mark &<< 48
  }

  /// All of the entry.
  @inline(__always)
  var entryByteCount: Int { Int(Self.byteCount) &+ keyByteCount &+ valueByteCount }
}

/// An entry that was found, and where.
struct FoundEntry {
  let object: ObjectReference
  let header: EntryHeader
  /// Where its slot is, in which bucket, and behind which one; 0 where that is the first of a chain.
  let slot: UInt64
  let bucket: UInt64
  let previousBucket: UInt64

  @inline(__always)
  var address: UInt64 { object.address }
  @inline(__always)
  var key: UInt64 { object.address &+ EntryHeader.byteCount }
  @inline(__always)
  var value: UInt64 { key &+ UInt64(truncatingIfNeeded: header.keyByteCount) }
}
