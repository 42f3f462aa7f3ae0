import Foundation
import PersistentCollections
import SystemPackage
import Testing

/// A loop over entries that changes the collection, in the transaction that the loop is in.
@Suite struct EntriesInTransactionTests {
  private struct Abort: Error {}

  private let folder: URL
  private let store: PersistentStore

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "entries-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    store = try PersistentStore.open(
      FilePath(folder.appending(path: "memory").path), byteCount: 8 << 20)
  }

  /// Each entry is shown once, whether the loop removes it or sets it; nothing that is removed before it is read
  /// is shown; and the whole is one change.
  @Test(arguments: [true, false])
  func orderedMap(isReversed: Bool) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let map = try store.orderedMap("numbers", of: (UInt64.self, UInt64.self))
    for number in 0..<300 as Range<UInt64> { try map.set(number, for: number) }
    func change(abort: Bool) throws -> [UInt64] {
      var seen: [UInt64] = []
      try store.transaction {
        for (number, value) in map.entries(from: 10, to: 290, reversed: isReversed) {
          #expect(value == number)
          seen.append(number)
          // Behind the loop, where it is, and far before it.
          switch number % 3 {
          case 0: try map.remove(number)
          case 1: try map.set(number + 1000, for: number)
          default: break
          }
          let ahead = isReversed ? number &- 100 : number + 100
          if number % 10 == 5, ahead < 300 { try map.remove(ahead) }
        }
        if abort { throw Abort() }
      }
      return seen
    }
    #expect(throws: Abort.self) { try change(abort: true) }
    #expect(map.entries.map { $0.1 } == Array(0..<300))
    let seen = try change(abort: false)
    #expect(seen == (isReversed ? seen.sorted(by: >) : seen.sorted()))
    #expect(Set(seen).count == seen.count)
    #expect(seen.allSatisfy { 10..<290 ~= $0 })
    // The first was removed 100 entries ahead of the loop; the second would have been removed by the first.
    #expect(!seen.contains(isReversed ? 185 : 115))
    #expect(seen.contains(isReversed ? 85 : 215))
    for number in seen {
      let value = try map[number]
      switch number % 3 {
      case 0: #expect(value == nil)
      case 1 where value != nil: #expect(value == number + 1000)
      default: break
      }
    }
    #expect(try map.check().findings.isEmpty)
  }

  @Test func mapAndLog() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let map = try store.map("names", of: (UInt64.self, UInt64.self))
    let log = try store.log("events", of: UInt64.self)
    for number in 0..<300 as Range<UInt64> {
      try map.set(number, for: number)
      try log.append(number)
    }
    try store.transaction {
      var seen: Set<UInt64> = []
      for (number, _) in map.entries {
        seen.insert(number)
        try map.remove(number)
      }
      #expect(seen == Set(0..<300))
      var next: UInt64 = 0
      for (number, element) in log.entries() {
        #expect(number == next && element == next)
        next += 1
        try log.removeEntries(before: number + 1)
      }
      #expect(next == 300)
    }
    #expect(try map.count == 0)
    #expect(try log.range == 300..<300)
    #expect(try map.check().findings.isEmpty && log.check().findings.isEmpty)
  }
}
