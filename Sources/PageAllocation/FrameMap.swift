public import MemoryAccess

/// The words in which a page allocator keeps its books.
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

  @inlinable
  func store(_ value: UInt64, at word: UInt64) {
    memory.withWords(at: PhysicalAddress(start.rawValue &+ word &* 8), count: 1) {
      $0.publish(value, at: 0)
    }
  }
}
