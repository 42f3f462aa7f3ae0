import ProcessHandover

/// The record of a commit on the disk: words that are written at once, with a check value.
struct DurableRecord: Hashable, Sendable {
  /// The number of the commit, from 1 on.
  let sequence: UInt64
  /// The length of the copy in bytes.
  let byteCount: UInt64
  /// The memory that was copied.
  let identity: MemoryFileIdentity

  /// "KHO COPY", read as bytes.
  private static let magic: UInt64 = 0x5950_4f43_204f_484b
  private static let layout: UInt64 = 1
  private static let wordCount = 7

  /// The distance of the two records in bytes: no disk writes both at once.
  static let distance: UInt64 = 4096
  /// The length of a record in bytes.
  static var byteCount: Int { wordCount * 8 }

  init(sequence: UInt64, byteCount: UInt64, identity: MemoryFileIdentity) {
    self.sequence = sequence
    self.byteCount = byteCount
    self.identity = identity
  }

  /// Reads a record; nil if none was written, or a power loss cut it short.
  ///
  /// - Throws: ``DurableCopiesError/unknownLayout(_:)``.
  init?(_ bytes: [UInt8]) throws(DurableCopiesError) {
    guard bytes.count >= Self.byteCount else { return nil }
    var words = [UInt64](repeating: 0, count: Self.wordCount)
    for index in 0..<Self.byteCount {
      words[index / 8] |= UInt64(bytes[index]) << UInt64(index % 8 * 8)
    }
    guard words[0] == Self.magic, words[6] == CheckValue(of: words[..<6]).value else { return nil }
    guard words[1] == Self.layout else { throw .unknownLayout(words[1]) }
    self.init(
      sequence: words[2], byteCount: words[3],
      identity: MemoryFileIdentity(high: words[4], low: words[5]))
  }

  /// The bytes of the record, little-endian.
  var bytes: [UInt8] {
    var words = [
      Self.magic, Self.layout, sequence, byteCount, identity.high, identity.low,
    ]
    words.append(CheckValue(of: words).value)
    return (0..<Self.byteCount).map { index in
      UInt8(truncatingIfNeeded: words[index / 8] >> UInt64(index % 8 * 8))
    }
  }
}
