import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections

/// The log against an array.
@Suite(.namesCombination) struct StoreLogTests {
  private func store() throws -> PersistentStore {
    try PersistentStore(
      PreservedMemory(creating: .memfd(name: "log"), byteCount: 1 << 20, growableTo: 1 << 28))
  }

  @Test(arguments: [40, 700, 40_000])
  func randomOperations(largest: Int) throws {
    let seed = UInt64(largest)
    try withCombination("seed", seed) {
      var generator = SeededGenerator(seed: seed)
      let log = try store().log("jobs", of: [UInt8].self)
      var expected: [[UInt8]] = []
      var start: UInt64 = 0
      for _ in 0..<1500 {
        switch generator.index(below: 10) {
        case 0:
          let count = generator.index(below: 20)
          #expect(
            try log.removeEntries(before: start + UInt64(count)) == min(count, expected.count))
          start += UInt64(min(count, expected.count))
          expected.removeFirst(min(count, expected.count))
        case 1 where !expected.isEmpty:
          #expect(try log.removeFirst() == expected.removeFirst())
          start += 1
        default:
          let bytes = MapBench.bytes(generator.index(below: largest), seed: generator.next())
          #expect(try log.append(bytes) == start + UInt64(expected.count))
          expected.append(bytes)
        }
      }
      #expect(try log.range == start..<start + UInt64(expected.count))
      #expect(log.entries().map(\.1) == expected)
      #expect(log.entries(from: start + 3).first { _ in true }?.0 == start + 3)
      #expect(try log[start] == expected.first && log[start &- 1] == nil)
      #expect(try log.check().findings == [])
      #expect(try log.removeEntries(before: .max) == UInt64(expected.count))
      #expect(try log.removeFirst() == nil && log.check().findings == [])
      #expect(try log.append([1]) == start + UInt64(expected.count))
    }
  }

  /// A job is taken and its result is stored, or neither.
  @Test func jobsAreTakenOnce() throws {
    struct Failure: Error {}
    let store = try store()
    let jobs = try store.log("jobs", of: String.self)
    let results = try store.map("results", of: (String.self, UInt64.self))
    for number in 0..<20 { try jobs.append("job \(number)") }
    for round in 0..<40 {
      try? store.transaction {
        guard let job = try jobs.removeFirst() else { return }
        try results.set(UInt64(round), for: job)
        if round.isMultiple(of: 2) { throw Failure() }
      }
    }
    #expect(try results.count == 20 && jobs.range == 20..<20)
    #expect(try results["job 3"] == 7)
  }
}
