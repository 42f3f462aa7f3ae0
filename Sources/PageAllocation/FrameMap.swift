public import MemoryAccess

/// The words in which a page allocator keeps its metadata.
@frozen
@usableFromInline
struct FrameMap<Memory: WritablePhysicalMemory> {
  @usableFromInline
  let memory: Memory
  @usableFromInline
  let start: PhysicalAddress

  @inlinable
  init(in memory: Memory, at start: PhysicalAddress) {
    self.memory = memory
    self.start = start
  }

  @inlinable
  func load(_ word: UInt64) -> UInt64 {
    memory.withWords(at: PhysicalAddress(start.rawValue &+ word &* 8), count: 1) { $0.load(0) }
  }

  /// Calls `body` with `count` words from `word` on.
  @inlinable
  @inline(__always)
  func withWords<Result>(
    from word: UInt64, count: UInt64, _ body: (borrowing MemoryWords) -> Result
  ) -> Result {
    memory.withWords(
      at: PhysicalAddress(start.rawValue &+ word &* 8), count: Int(truncatingIfNeeded: count), body)
  }

  /// Sets `count` bits from bit `first` of the map on.
  @inlinable
  func setBits(from first: UInt64, count: UInt64) {
    let word = first &>> 6
    let bit = Int(truncatingIfNeeded: first & 63)
    let end = bit &+ Int(truncatingIfNeeded: count)
    memory.withWords(
      at: PhysicalAddress(start.rawValue &+ word &* 8), count: (end &+ 63) &>> 6
    ) { $0.change(bits: bit..<end, setting: true) }
  }

  /// How many bits of `wordCount` words from `word` on are set.
  @usableFromInline
  func countOfBits(from word: UInt64, wordCount: UInt64) -> UInt64 {
    let bytes = PhysicalRange(
      start: PhysicalAddress(start.rawValue &+ word &* 8), byteCount: wordCount &* 8)
    let count = memory.withBytes(in: bytes) { $0.countOfBits(from: 0, count: $0.byteCount &* 8) }
    guard let count else { Panic.end("an allocator's map outside its memory") }
    return count
  }

  /// Sets or clears all bits of `wordCount` words from `word` on.
  ///
  /// - Returns: how many bits were so before.
  @inlinable
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func countOfBits(from word: UInt64, wordCount: UInt64, settingAll isSet: Bool) -> UInt64 {
    let count = Int(truncatingIfNeeded: wordCount)
    return memory.withWords(at: PhysicalAddress(start.rawValue &+ word &* 8), count: count) {
      words in
      var same: UInt64 = 0
      var index = words.firstIndex(from: 0, notAll: !isSet)
      while index < count {
        let old = words.load(index)
        same &+= UInt64(truncatingIfNeeded: (isSet ? old : ~old).nonzeroBitCount)
        index &+= 1
      }
      words.fill(0..<count, setting: isSet)
      return same
    }
  }

  @inlinable
  func store(_ value: UInt64, at word: UInt64) {
    memory.withWords(at: PhysicalAddress(start.rawValue &+ word &* 8), count: 1) {
      $0.store(value, at: 0)
    }
  }
}

extension FrameMap: Sendable where Memory: Sendable {}
