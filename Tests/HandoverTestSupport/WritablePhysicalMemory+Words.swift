package import MemoryAccess

extension WritablePhysicalMemory {
  /// The word at `address`.
  package func word(at address: UInt64) -> UInt64 {
    withWords(at: PhysicalAddress(address), count: 1) { $0.load(0) }
  }

  /// Stores a word at `address`.
  package func setWord(_ value: UInt64, at address: UInt64) {
    withWords(at: PhysicalAddress(address), count: 1) { $0.publish(value, at: 0) }
  }

  /// A copy of the words of `range`, whose ends are multiples of 8.
  package func snapshot(of range: PhysicalRange) -> [UInt64] {
    withWords(at: range.start, count: Int(range.byteCount / 8)) { words in
      (0..<words.count).map { words.load($0) }
    }
  }
}
