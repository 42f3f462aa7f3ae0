import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PreservedPages
import Testing

/// Every take of a frame fails once: nothing has changed then, and no frame is lost.
@Suite(.namesCombination)
struct FrameFailureTests {
  @Test("a tree without a frame for its root", arguments: [4, 5, 6, 12, 14, 16])
  func creation(shift: Int) throws {
    let geometry = RadixGeometry(PageGeometry(shift: shift))
    let memory = try TreeBench.memory(geometry.page, nodeCount: 8)
    var frames = TreeBench.frames(of: memory, geometry.page)
    frames.takesUntilFailure = 1
    do throws(RadixTreeError) {
      _ = try RadixTree(in: memory, geometry: geometry, from: &frames)
      Issue.record("made a tree out of nothing")
    } catch {
      #expect(error == .outOfFrames(level: geometry.rootLevel))
    }
    #expect(frames.pool.takenCount == 0)
    let tree = try RadixTree(in: memory, geometry: geometry, from: &frames)
    #expect(frames.pool.takenCount == 1)
    #expect(tree.isEmpty == true)
  }

  @Test("an insert whose N-th frame is missing, for every N", arguments: [4, 5, 6, 12, 14, 16])
  func insertion(shift: Int) throws {
    func key(_ order: Int, _ block: UInt64) -> UInt64 {
      InterestingKeys.key(order: order, block: block, shift: shift)
    }
    let largestPage: UInt64 = (1 << UInt64(64 - shift)) - 1
    let shapes: [[UInt64]] = [
      [], [key(0, 0)], [key(0, largestPage)], [key(63 - shift, 0)], [key(1, 0), key(0, 1)],
      [key(0, 0), key(0, largestPage), key(3, 77), key(9, 1)],
    ]
    let wanted = [
      key(0, 1), key(0, largestPage - 1), key(0, 1 << UInt64(shift + 3)), key(1, largestPage >> 1),
      key(63 - shift, 1), key(20, 3),
    ]
    // Large pages take long to compare, and have few levels to fail at.
    try withEvery("shape", in: shift > 12 ? shapes.suffix(2) : shapes) { shape in
      try withEvery("wanted", in: wanted) { key in
        var bench = try TreeBench(shift: shift, nodeCount: 400)
        try bench.insertAll(shape)
        fillMargins(bench.memory, bench.frames.pool.frames, bench.geometry.page)
        try failEveryTake(&bench, key, holding: Set(shape))
      }
    }
  }

  private func failEveryTake(
    _ bench: inout TreeBench, _ key: UInt64, holding keys: Set<UInt64>
  ) throws {
    let before = bench.usedMemory
    let takenBefore = bench.frames.pool.takenCount
    var attempt = 1
    while true {
      bench.frames.takesUntilFailure = attempt
      var failure: RadixTreeError?
      var isNew = false
      do throws(RadixTreeError) {
        isNew = try bench.tree.insert(RadixKey(rawValue: key), from: &bench.frames)
      } catch {
        failure = error
      }
      guard let failure else {
        bench.frames.takesUntilFailure = nil
        try #require(isNew == !keys.contains(key))
        break
      }
      // Paths are built from the leaf up, so the N-th frame is for level N − 1.
      try #require(failure == .outOfFrames(level: attempt - 1))
      try #require(bench.frames.pool.takenCount == takenBefore, "frames lost")
      try #require(bench.usedMemory == before, "memory in use has changed")
      try #require(bench.tree.contains(RadixKey(rawValue: key)) == keys.contains(key))
      attempt += 1
      try #require(attempt < 100)
    }
    let missing = bench.frames.pool.takenCount - takenBefore
    try #require(missing == UInt64(attempt - 1), "one failure for each node that was missing")
    try bench.check(against: keys.union([key]))
    try #require(bench.margins == before.margins)
  }

  private func fillMargins(
    _ memory: ClaimingMemory, _ frames: FrameRange, _ page: PageGeometry
  ) {
    let start = memory.base.range.start.rawValue
    let poolStart = frames.start.address(in: page).rawValue
    let poolEnd = frames.end.address(in: page).rawValue
    let end = start + memory.byteCount
    for address in stride(from: start, to: poolStart, by: 8) {
      memory.setWord(~address, at: address)
    }
    for address in stride(from: poolEnd, to: end, by: 8) { memory.setWord(~address, at: address) }
  }
}

/// All words of a bench's memory but those of free frames.
struct UsedMemory: Equatable {
  var nodes: [PhysicalAddress: [UInt64]] = [:]
  var margins: [[UInt64]] = []
}

extension TreeBench {
  var margins: [[UInt64]] {
    let start = memory.base.range.start
    let poolStart = frames.pool.frames.start.address(in: geometry.page)
    let poolEnd = frames.pool.frames.end.address(in: geometry.page)
    let end = start.rawValue + memory.byteCount
    return [
      memory.snapshot(
        of: PhysicalRange(start: start, byteCount: poolStart.rawValue - start.rawValue)),
      memory.snapshot(of: PhysicalRange(start: poolEnd, byteCount: end - poolEnd.rawValue)),
    ]
  }

  var usedMemory: UsedMemory {
    var used = UsedMemory(margins: margins)
    for node in reference.nodes {
      used.nodes[node.address] = memory.snapshot(of: geometry.page.page(at: node.address))
    }
    return used
  }
}
