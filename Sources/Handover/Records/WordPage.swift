import MemoryAccess

/// A copy of the words of one page of records: it cannot change under its reader.
struct WordPage {
  private var words: [UInt64] = []
  private(set) var start = PhysicalAddress.zero

  /// The number of words; 0 before the first ``load(_:from:)``.
  var count: Int { words.count }

  subscript(index: Int) -> UInt64 { words[index] }

  /// Copies the page at `range`.
  ///
  /// - Throws: ``RecordError/unreadable(_:)``; nothing has changed then.
  mutating func load<Memory: PhysicalMemory>(
    _ range: PhysicalRange, from memory: Memory
  ) throws(RecordError) {
    let count = Int(truncatingIfNeeded: range.byteCount) &>> 3
    if words.count != count { words = [UInt64](repeating: 0, count: count) }
    let isRead: Void? = memory.withBytes(in: range) { bytes in
      for index in 0..<count { words[index] = bytes.word(atByte: index &* 8) ?? 0 }
    }
    guard isRead != nil else { throw .unreadable(range) }
    start = range.start
  }
}
