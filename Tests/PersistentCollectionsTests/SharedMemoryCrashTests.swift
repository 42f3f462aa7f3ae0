import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections
@testable import ProcessHandover

/// Several maps in one memory, and a process that is killed after any store of a change of some of them:
/// the successor opens the maps in any order, and uses each before it opens the next one. The change is
/// there completely or not at all in all maps, and no memory is lost, leaked or given twice.
@Suite(.namesCombination) struct SharedMemoryCrashTests {
  private static func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
    MapBench.bytes(count, seed: UInt64(seed))
  }

  /// Large values, which are pieces of their own, and small ones.
  private func filled(mapCount: Int) throws -> SharedMemory {
    var shared = try SharedMemory.make(
      mapCount: mapCount, byteCount: UInt64(mapCount * 4 + 16) << 20)
    for index in 0..<mapCount {
      for number in 0..<12 {
        try shared.set(index, [1, UInt8(number)], Self.bytes(number, number))
      }
      try shared.set(index, [2], Self.bytes(33_000, index))
    }
    try #require(try shared.problems() == [])
    return shared
  }

  private static func orders(_ count: Int) -> [[Int]] {
    if count == 2 { return [[0, 1], [1, 0]] }
    if count == 3 {
      return [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    }
    return [Array((0..<count).reversed()), Array(1..<count) + [0], [5] + (0..<5) + (6..<count)]
  }

  enum Change: String, CaseIterable, Sendable {
    case freeing, allocating, both, creating
  }

  @Test(arguments: [2, 3, 10], Change.allCases)
  func everyStore(mapCount: Int, change: Change) throws {
    var shared = try filled(mapCount: mapCount)
    let before = shared.expected
    let start = try shared.memory.copy()
    let events = try shared.memory.journal.recording {
      switch change {
      case .freeing: try shared.set(0, [2], [7])
      case .allocating: try shared.set(0, [3], Self.bytes(40_000, 3))
      case .both, .creating:
        try shared.together { shared throws(PersistentCollectionError) in
          for index in 0..<mapCount { try shared.set(index, [2], [UInt8(index)]) }
          try shared.set(mapCount - 1, [3], Self.bytes(34_000, 5))
          try shared.remove(0, [1, 4])
          if change == .creating {
            for index in 0..<mapCount { try shared.set(index, [9], Self.bytes(35_000, index)) }
          }
        }
      }
    }
    let after = shared.expected
    var visited = 0
    var isAfter = false
    let total = events.reduce(0) { count, event in
      if case .stores(let words) = event { count + min(words.count, 2) } else { count }
    }
    // Of many stores, not each one with each order.
    let step = max(1, total * Self.orders(mapCount).count / (60 / mapCount))
    for case .stores(let words) in events {
      let half = words.count / 2
      for part in [words[..<half], words[half...]] where !part.isEmpty {
        start.base.apply(part)
        visited += 1
        for (number, order) in Self.orders(mapCount).enumerated()
        where (visited + number).isMultiple(of: step) || visited > total - 8 {
          try withCombination("store", visited) {
            let found = try contents(start, opening: order)
            try #require(found == before || found == after)
            try #require(!isAfter || found == after)
            isAfter = found == after
          }
        }
      }
    }
    #expect(isAfter)
  }

  /// What a successor finds that opens the maps in an order; the memory is then as before.
  private func contents(
    _ memory: RecordingMemory, opening order: [Int]
  ) throws -> SharedMemory.Contents {
    var found = Array(repeating: [[UInt8]: [UInt8]](), count: order.count)
    let events = try memory.journal.recording {
      var shared = try SharedMemory.adopt(memory, mapCount: order.count)
      for index in order {
        found[index] = try shared.contents(of: index)
        // It needs memory at once.
        try shared.set(index, [77], Self.bytes(36_000, index))
      }
      try #require(try shared.problems() == [])
      for index in order {
        var expected = found[index]
        expected[[77]] = Self.bytes(36_000, index)
        try #require(try shared.contents(of: index) == expected)
      }
    }
    memory.base.undo(events)
    return found
  }
}
