import Dispatch
import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PreservedPages
import Synchronization
import Testing

/// Batches of keys that threads mark at once, and one thread by itself.
@Suite(.namesCombination)
struct ConcurrentBatchTests {
  @Test("one thread: what a set says", arguments: [4, 5, 6, 12, 16])
  func alone(shift: Int) throws {
    try withEvery("seed", in: [1] as [UInt64]) { seed in
      var generator = SeededGenerator(seed: seed << 8 | UInt64(shift))
      var bench = try TreeBench(shift: shift, nodeCount: shift > 12 ? 700 : 9000)
      var tree = ConcurrentRadixTree(
        adopting: bench.tree.root, in: bench.memory, geometry: bench.geometry)
      var model: Set<UInt64> = []
      // As wide apart as there is memory for the nodes; many in one word; some in each word.
      let leafCount: UInt64 = 250
      let spans: [UInt64] = [leafCount << UInt64(shift + 3), 200, 1 << 14]
      try withEvery("span", in: spans) { span in
        try withEvery("count", in: [0, 1, 65, 1500]) { count in
          let keys = (0..<count).map { _ in
            InterestingKeys.key(
              order: generator.pick([0, 0, 2]), block: generator.next() % span, shift: shift)
          }
          let isSorted = generator.isOne(in: 3)
          var batch = (isSorted ? keys.sorted() : keys).map { RadixKey(rawValue: $0) }
          let newCount = Set(keys).subtracting(model).count
          var batchSpan = batch.mutableSpan
          try #require(try tree.insert(contentsOf: &batchSpan, from: &bench.frames) == newCount)
          model.formUnion(keys)
          try #require(batch.map(\.rawValue).sorted() == keys.sorted(), "keys lost")
          try bench.checkMarks(model)
        }
      }
    }
  }

  @Test("one number that is not a key, and nothing is marked", arguments: [4, 12])
  func noKey(shift: Int) throws {
    var bench = try TreeBench(shift: shift)
    var tree = ConcurrentRadixTree(
      adopting: bench.tree.root, in: bench.memory, geometry: bench.geometry)
    try withEvery("wrong", in: [0, 1, 1 << UInt64(65 - shift), .max] as [UInt64]) { wrong in
      var batch = (2..<100 as Range<UInt64>).map { RadixKey(rawValue: $0) }
      batch.append(RadixKey(rawValue: wrong))
      #expect(throws: RadixTreeError.keyOutsideTree(RadixKey(rawValue: wrong))) {
        var span = batch.mutableSpan
        try tree.insert(contentsOf: &span, from: &bench.frames)
      }
      try bench.check(against: [])
    }
  }

  @Test("a batch whose N-th frame is missing goes on where it stopped", arguments: [4, 6, 12])
  func failures(shift: Int) throws {
    var generator = SeededGenerator(seed: UInt64(shift))
    // Near each other and far: both ways to mark them.
    let far = (0..<4).map { _ in InterestingKeys.random(shift: shift, using: &generator) }
    let near = (0..<120).map { _ in
      InterestingKeys.key(order: 0, block: generator.next() % 400, shift: shift)
    }
    var failureCount = 0
    try withEvery("keys", in: [far, near]) { keys in
      var attempt = 1
      while true {
        var bench = try TreeBench(shift: shift, nodeCount: 700)
        var tree = ConcurrentRadixTree(
          adopting: bench.tree.root, in: bench.memory, geometry: bench.geometry)
        var batch = keys.map { RadixKey(rawValue: $0) }
        bench.frames.takesUntilFailure = attempt
        var failure: RadixTreeError?
        do throws(RadixTreeError) {
          var span = batch.mutableSpan
          try tree.insert(contentsOf: &span, from: &bench.frames)
        } catch {
          failure = error
        }
        guard failure != nil else { return }
        failureCount += 1
        // What is marked is of the batch, and every frame that was taken is a node.
        let marked = Set(bench.reference.keys)
        try #require(marked.isStrictSubset(of: Set(keys)))
        try bench.checkMarks(marked)
        try #require(UInt64(bench.reference.nodes.count) == bench.frames.pool.takenCount)
        var span = batch.mutableSpan
        let newCount = try tree.insert(contentsOf: &span, from: &bench.frames)
        try #require(newCount == Set(keys).count - marked.count)
        try bench.checkMarks(Set(keys))
        attempt += 1
      }
    }
    #expect(failureCount > 3, "each node that is missing fails once")
  }

  @Test("four threads, whose batches share words and keys")
  func together() throws {
    let geometry = RadixGeometry(.pages4KiB)
    let part: UInt64 = 64 * 4096
    let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 5 * part)
    let memory = try AnonymousMemory(range)
    @Sendable func frames(_ index: UInt64) -> FramePool<AnonymousMemory> {
      let start = range.start.advanced(byBytes: index * part)
      return FramePool(
        of: PhysicalRange(start: start, byteCount: part), in: memory, geometry: .pages4KiB)
    }
    var first = frames(4)
    let root = try RadixTree(in: memory, geometry: geometry, from: &first).root
    let base = RadixKey(.zero, order: .zero, in: .pages4KiB).rawValue
    // Many in each word of 16 leaves, and a few far away; sorted in one thread.
    let batches = (0..<4).map { thread in
      var generator = SeededGenerator(seed: UInt64(thread))
      let keys = (0..<50_000).map { index in
        base + (index % 1000 == 0 ? generator.next() % 40 << 15 : generator.next() % (1 << 19))
      }
      return thread == 3 ? keys.sorted() : keys
    }
    let taken = Mutex<UInt64>(first.takenCount)
    let newCount = Mutex<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      var pool = frames(UInt64(thread))
      var tree = ConcurrentRadixTree(adopting: root, in: memory, geometry: geometry)
      var batch = batches[thread].map { RadixKey(rawValue: $0) }
      var new = 0
      do throws(RadixTreeError) {
        var span = batch.mutableSpan
        new = try tree.insert(contentsOf: &span, from: &pool)
      } catch {
        Issue.record("\(error)")
      }
      taken.withLock { $0 += pool.takenCount }
      newCount.withLock { $0 += new }
    }
    let tree = RadixTree(adopting: root, in: memory, geometry: geometry)
    var nodeCount: UInt64 = 0
    tree.forEachNode { _ in nodeCount += 1 }
    #expect(nodeCount == taken.withLock { $0 })
    var keys: [UInt64] = []
    tree.forEachKey { keys.append($0.rawValue) }
    #expect(keys == Set(batches.joined()).sorted())
    #expect(keys.count == newCount.withLock { $0 }, "a key reported as new twice, or never")
  }
}
