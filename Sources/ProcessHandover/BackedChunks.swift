/// Which chunks of a file are known to have storage: one bit each.
struct BackedChunks: Sendable {
  /// The binary logarithm of the size of a chunk in bytes.
  let log2ByteCount: UInt64

  private var words: [UInt64]

  /// No chunk of a file that grows to `capacity` bytes.
  init(log2ByteCount: UInt64, capacity: UInt64) {
    self.log2ByteCount = log2ByteCount
    let chunkCount = capacity == 0 ? 0 : (capacity &- 1) >> log2ByteCount &+ 1
    self.words = [UInt64](repeating: 0, count: Int((chunkCount &+ 63) / 64))
  }

  /// The chunks that hold a byte of `bytes`, which is not empty.
  func chunks(of bytes: Range<UInt64>) -> ClosedRange<UInt64> {
    (bytes.lowerBound >> log2ByteCount)...((bytes.upperBound &- 1) >> log2ByteCount)
  }

  /// The bytes of a chunk in a file of `byteCount` bytes.
  func bytes(ofChunk index: UInt64, fileByteCount: UInt64) -> Range<UInt64> {
    let start = index << log2ByteCount
    return start..<min(start &+ 1 << log2ByteCount, fileByteCount)
  }

  /// Whether the chunk is known to have storage.
  subscript(index: UInt64) -> Bool {
    get { words[Int(index / 64)] >> (index % 64) & 1 != 0 }
    set {
      if newValue {
        words[Int(index / 64)] |= 1 << (index % 64)
      } else {
        words[Int(index / 64)] &= ~(1 << (index % 64))
      }
    }
  }
}
