import Dispatch
import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PreservedPages
import Synchronization
import Testing

/// Threads that change one tree at once, and one thread that does so by itself.
@Suite(.namesCombination)
struct ConcurrentTreeTests {
  @Test("one thread: what a set says", arguments: [4, 6, 12, 16])
  func alone(shift: Int) throws {
    var generator = SeededGenerator(seed: UInt64(shift))
    var bench = try TreeBench(shift: shift, nodeCount: 2000)
    var tree = ConcurrentRadixTree(
      adopting: bench.tree.root, in: bench.memory, geometry: bench.geometry)
    let anchors = (0..<6).map { _ in InterestingKeys.random(shift: shift, using: &generator) }
    var model: Set<UInt64> = []
    let keyEnd: UInt64 = 1 << UInt64(65 - shift)
    for _ in 0..<600 {
      let near = generator.pick(anchors) &+ UInt64(generator.index(below: 7)) &- 3
      let key = RadixKey(rawValue: min(max(near, 2), keyEnd - 1))
      switch generator.index(below: 3) {
      case 0:
        let isNew = try tree.insert(key, from: &bench.frames)
        try #require(isNew == model.insert(key.rawValue).inserted)
      case 1: try #require(tree.remove(key) == (model.remove(key.rawValue) != nil))
      default: try #require(tree.contains(key) == model.contains(key.rawValue))
      }
    }
    for wrong in [0, 1, keyEnd, .max] as [UInt64] {
      let key = RadixKey(rawValue: wrong)
      try #require(tree.contains(key) == false && tree.remove(key) == false)
      #expect(throws: RadixTreeError.keyOutsideTree(key)) {
        try tree.insert(key, from: &bench.frames)
      }
    }
    try bench.checkMarks(model)
  }

  @Test("four threads, each with keys of its own in words of all")
  func together() throws {
    let geometry = RadixGeometry(.pages4KiB)
    let pageCount: UInt64 = 64
    let part = pageCount * 4096
    let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 5 * part)
    let memory = try AnonymousMemory(range)
    @Sendable func frames(_ index: UInt64) -> FramePool<AnonymousMemory> {
      let start = range.start.advanced(byBytes: index * part)
      return FramePool(
        of: PhysicalRange(start: start, byteCount: part), in: memory, geometry: .pages4KiB)
    }
    var first = frames(4)
    let root = try RadixTree(in: memory, geometry: geometry, from: &first).root
    let keyCount: UInt64 = 40_000
    let base = RadixKey(.zero, order: .zero, in: .pages4KiB).rawValue
    let taken = Mutex<UInt64>(first.takenCount)
    let newCount = Mutex<UInt64>(0)
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      var pool = frames(UInt64(thread))
      var tree = ConcurrentRadixTree(adopting: root, in: memory, geometry: geometry)
      var new: UInt64 = 0
      for index in 0..<keyCount {
        // Four neighbours in a word, over many leaves; the last key of each is everybody's.
        let key = base + (index / 64) << 10 + index % 64 * 4 + UInt64(thread)
        do throws(RadixTreeError) {
          if try tree.insert(RadixKey(rawValue: key), from: &pool) { new += 1 }
          if try tree.insert(RadixKey(rawValue: key | 3), from: &pool) { new += 1 }
        } catch {
          Issue.record("\(error)")
        }
        if index % 2 == 0, thread != 3, tree.remove(RadixKey(rawValue: key)) { new -= 1 }
      }
      taken.withLock { $0 += pool.takenCount }
      newCount.withLock { $0 += new }
    }
    let tree = RadixTree(adopting: root, in: memory, geometry: geometry)
    var nodeCount: UInt64 = 0
    tree.forEachNode { _ in nodeCount += 1 }
    #expect(nodeCount == taken.withLock { $0 })
    // Of the first three threads every other key, of the fourth all.
    #expect(tree.count == 3 * keyCount / 2 + keyCount)
    #expect(tree.count == newCount.withLock { $0 }, "a key reported as new twice, or never")
  }
}
