import Foundation
import HandoverTestSupport
import KexecHandover
import PersistentCollections
import Synchronization
import SystemPackage
import Testing

/// The store as a service uses it.
@Suite(.namesCombination) struct PersistentStoreTests {
  private struct Refusal: Error, Equatable { let number: Int }

  private final class Progress: Sendable {
    let isDone = Atomic<Bool>(false)
    let ended = Atomic<Int>(0)
    let failures = Atomic<Int>(0)
  }

  private func memory() throws -> PreservedMemory {
    try PreservedMemory(creating: .memfd(name: "store"), byteCount: 1 << 20, growableTo: 1 << 28)
  }

  @Test func successorOpensCollectionsInAnyOrder() throws {
    let store = try PersistentStore(memory())
    let users = try store.map("users", of: (String.self, UInt64.self))
    let visits = try store.orderedMap("visits", of: (PersistentInstant.self, String.self))
    let total = try store.counter("total")
    let motto = try store.value("motto", of: String.self)
    for number in 0..<500 {
      try store.transaction {
        try users.set(UInt64(number), for: "user \(number % 100)")
        try visits.set(
          "user \(number)", for: PersistentInstant(nanosecondsSince1970: Int64(number - 250)))
        try total.add(2)
      }
    }
    try motto.set("Pages survive.")
    let summaries = try store.contents()
    #expect(summaries.map(\.name) == ["users", "visits", "total", "motto"])
    #expect(summaries.map(\.kind) == [.map, .orderedMap, .counter, .value])
    #expect(summaries.map(\.count) == [100, 500, 0, 1])

    let memory = store.close()
    let file = memory.file
    _ = consume memory
    let next = try PersistentStore(PreservedMemory(adopting: file))
    #expect(try next.value("motto", of: String.self).value == "Pages survive.")
    #expect(try next.counter("total").value == 1000)
    let again = try next.orderedMap("visits", of: (PersistentInstant.self, String.self))
    #expect(try again.first?.key.nanoseconds == -250 && again.last?.key.nanoseconds == 249)
    #expect(try again.lowerBound(PersistentInstant(nanosecondsSince1970: 7))?.value == "user 257")
    let some = again.entries(
      from: PersistentInstant(nanosecondsSince1970: -3),
      to: PersistentInstant(nanosecondsSince1970: 3))
    #expect(some.map { $0.0.nanoseconds } == [-3, -2, -1, 0, 1, 2])
    let back = again.entries(
      from: PersistentInstant(nanosecondsSince1970: -3),
      to: PersistentInstant(nanosecondsSince1970: 3), reversed: true)
    #expect(back.map { $0.0.nanoseconds } == [2, 1, 0, -1, -2, -3])
    #expect(again.entries.reduce(0) { count, _ in count + 1 } == 500)
    #expect(try again.check().findings == [])
    let map = try next.map("users", of: (String.self, UInt64.self))
    #expect(try map.count == 100 && map["user 7"] == 407 && map.check().findings == [])
    var seen = 0
    for (_, value) in map.entries {
      seen += value >= 400 ? 1 : 0
      if seen == 50 { break }
    }
    #expect(seen == 50)
    #expect(throws: PersistentCollectionError.notThisCollection) {
      _ = try next.map("visits", of: (String.self, String.self))
    }
    #expect(throws: PersistentCollectionError.notThisCollection) {
      _ = try next.map("users", of: (String.self, String.self))
    }
  }

  @Test func errorsOfTheCallerAbort() throws {
    let store = try PersistentStore(memory())
    let accounts = try store.map("accounts", of: (String.self, Int64.self))
    let log = try store.orderedMap("log", of: (UInt64.self, String.self))
    try accounts.set(100, for: "ann")
    #expect(throws: Refusal(number: 7)) {
      try store.transaction {
        try accounts.set(50, for: "ann")
        try log.set("taken", for: 1)
        #expect(try accounts["ann"] == 50)
        throw Refusal(number: 7)
      }
    }
    #expect(try accounts["ann"] == 100 && log.count == 0)
    // One inside another, whose error is caught: the outer one fails with it.
    #expect(throws: Refusal(number: 8)) {
      try store.transaction {
        try accounts.set(1, for: "ann")
        try? store.transaction { throw Refusal(number: 8) }
        try log.set("still", for: 2)
      }
    }
    #expect(try accounts["ann"] == 100 && log.count == 0)
    let result = try store.transaction {
      try accounts.set(99, for: "ann")
      return "done"
    }
    #expect(try result == "done" && accounts["ann"] == 99)
  }

  private struct Gap: Preservable, PersistentElement { var first: UInt8, second: UInt32 }

  /// A key with undefined bytes would not be found again.
  @Test func typesWithUndefinedBytesAreRefused() throws {
    let store = try PersistentStore(memory())
    func expectRefusal(_ body: () throws -> Void) {
      do {
        try body()
        Issue.record("opened")
      } catch PersistentCollectionError.memory(.typeNotPreservable(let reason)) {
        #expect(reason.contains("3 undefined bytes"))
      } catch {
        Issue.record(error)
      }
    }
    expectRefusal { _ = try store.map("m", of: (Gap.self, UInt8.self)) }
    expectRefusal { _ = try store.orderedMap("m", of: (UInt8.self, Gap.self)) }
    expectRefusal { _ = try store.log("m", of: Gap.self) }
    expectRefusal { _ = try store.value("m", of: Gap.self) }
    #expect(try store.contents() == [])
    expectRefusal { _ = try PersistentMap<Gap, UInt8>.open(store.close()) }
  }

  /// A takeover that says anew what is kept keeps all collections, or refuses; none is lost in silence.
  @Test func freshTakeoverKeepsCollectionsOrRefuses() throws {
    let store = try PersistentStore(memory())
    let map = try store.map("map", of: (UInt64.self, [UInt8].self))
    let log = try store.log("log", of: String.self)
    for number in 0..<100 as Range<UInt64> {
      try map.set([UInt8](repeating: 1, count: Int(number) * 700), for: number)
      try log.append("entry \(number)")
    }
    try store.withMemory { memory throws(PreservedMemoryError) in
      _ = try memory.makeRegion(named: "other", byteCount: 5000)
    }
    let file = store.withMemory { $0.file }
    _ = store.close()
    do {
      var takeover = try FreshTakeover(of: file)
      #expect(takeover.names == ["map", "log", "other"])
      #expect(takeover.collectionNames == ["map", "log"])
      #expect(throws: PreservedMemoryError.partOfCollections("map")) {
        try takeover.keepRegion(named: "map")
      }
      try takeover.keepRegion(named: "other")
      do throws(PreservedMemoryError) {
        _ = try takeover.finish()
        Issue.record("finished")
      } catch {
        #expect(error == .collectionsNotKept(["map", "log"]))
      }
    }
    do {
      var takeover = try FreshTakeover(of: file)
      try takeover.keepCollections()
      try takeover.keepCollections()
      let next = try PersistentStore(takeover.finish())
      #expect(try next.contents().map(\.name) == ["map", "log"])
      let map = try next.map("map", of: (UInt64.self, [UInt8].self))
      let log = try next.log("log", of: String.self)
      #expect(try map.count == 100 && map[99]?.count == 99 * 700 && map.check().findings == [])
      #expect(try log.range == 0..<100 && log[7] == "entry 7" && log.check().findings == [])
      try map.set([UInt8](repeating: 2, count: 40_000), for: 200)
      _ = next.close()
    }
    var takeover = try FreshTakeover(of: file)
    takeover.dropCollections()
    let empty = try takeover.finish()
    #expect(try empty.names() == [])
  }

  /// What is preserved, but for the device tree, which moves.
  private func blocks(_ store: PersistentStore) -> Set<PhysicalBlock> {
    store.withMemory { memory in
      var blocks: Set<PhysicalBlock> = []
      memory.forEachBlock { if $0.order > .zero { blocks.insert($0) } }
      return blocks
    }
  }

  @Test func removedCollectionGivesItsMemoryBack() throws {
    let store = try PersistentStore(memory())
    let kept = try store.map("kept", of: (UInt64.self, UInt64.self))
    try kept.set(1, for: 1)
    let before = blocks(store)
    for round in 0..<3 {
      let gone = try store.map("gone", of: (UInt64.self, [UInt8].self))
      for number in 0..<300 as Range<UInt64> {
        try gone.set([UInt8](repeating: 1, count: Int(number) * 200), for: number)
      }
      #expect(try gone.count == 300, "round \(round)")
      try store.removeCollection("gone")
    }
    #expect(blocks(store) == before)
    #expect(try kept[1] == 1 && store.contents().map(\.name) == ["kept"])
  }

  @Test func expiredEntriesGo() throws {
    let store = try PersistentStore(memory())
    let sessions = try store.map("sessions", of: (UInt64.self, [UInt8].self))
    for number in 0..<200 as Range<UInt64> {
      try sessions.set([1], for: number, metadata: EntryMetadata(first: number))
    }
    #expect(try sessions.removeExpired(now: 49) == 49)
    #expect(try sessions.count == 151 && sessions[0] == [1] && sessions[49] == nil)
    #expect(try sessions.append([2, 3], to: 50) == 3 && sessions[50] == [1, 2, 3])
    #expect(try sessions.metadata(of: 50)?.first == 50)
  }

  /// Money moves between two collections while four threads read: a sum that both are read for in one
  /// transaction never changes, and a reader sees whole values.
  @Test func readersBesideAWriter() throws {
    let store = try PersistentStore(memory())
    let left = try store.map("left", of: (UInt64.self, UInt64.self))
    let right = try store.orderedMap("right", of: (UInt64.self, UInt64.self))
    for number in 0..<64 as Range<UInt64> {
      try left.set(number << 32 | number, for: number)
      try right.set(number << 32 | number, for: number)
    }
    let progress = Progress()
    let threads = (0..<4).map { reader in
      Thread {
        var generator = SeededGenerator(seed: UInt64(reader))
        var round = 0
        do {
          while !progress.isDone.load(ordering: .acquiring) || round < 200 {
            round += 1
            let key = UInt64(generator.index(below: 64))
            if let value = try left[key], value >> 32 != value & 0xffff_ffff {
              throw Refusal(number: 1)
            }
            if let value = try right[key], value >> 32 != value & 0xffff_ffff {
              throw Refusal(number: 2)
            }
            if round.isMultiple(of: 50),
              !right.entries.allSatisfy({ $0.1 >> 32 == $0.1 & 0xffff_ffff })
            {
              throw Refusal(number: 3)
            }
          }
        } catch {
          progress.failures.add(1, ordering: .relaxed)
        }
        progress.ended.add(1, ordering: .releasing)
      }
    }
    for thread in threads { thread.start() }
    var generator = SeededGenerator(seed: 9)
    for _ in 0..<400 {
      let key = UInt64(generator.index(below: 80))
      let number = UInt64(generator.index(below: 1000))
      let isRemoval = generator.isOne(in: 4)
      try store.transaction {
        if isRemoval {
          try left.remove(key)
          try right.remove(key)
        } else {
          try left.set(number << 32 | number, for: key)
          try right.set(number << 32 | number, for: key)
        }
        #expect(try left[key] == right[key])
      }
    }
    progress.isDone.store(true, ordering: .releasing)
    while progress.ended.load(ordering: .acquiring) < 4 { sched_yield() }
    #expect(progress.failures.load(ordering: .relaxed) == 0)
    #expect(try left.check().findings == [] && right.check().findings == [])
    #expect(try left.count == right.count)
  }

  @Test func backUpIsAStoreOfItsOwn() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "kho-backup-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try PersistentStore(memory())
    let map = try store.map("map", of: (UInt64.self, [UInt8].self))
    for number in 0..<200 as Range<UInt64> {
      try map.set([UInt8](repeating: 7, count: Int(number) * 300), for: number)
    }
    let path = folder.appending(path: "copy").path
    try store.backUp(to: .init(path))
    try map.removeAll()
    #expect(throws: Errno.fileExists) { try store.backUp(to: .init(path)) }
    let copy = try PersistentStore.open(.init(path))
    let copied = try copy.map("map", of: (UInt64.self, [UInt8].self))
    #expect(try copied.count == 200 && copied[199]?.count == 199 * 300)
    #expect(try copied.check().findings == [])
  }

  @Test func keysCompareAsTheirValuesDo() throws {
    let store = try PersistentStore(memory())
    let numbers = try store.orderedMap("numbers", of: (Int32.self, UInt8.self))
    let wanted: [Int32] = [.min, -70_000, -1, 0, 1, 255, 256, 65_536, .max]
    for number in wanted.shuffled() { try numbers.set(1, for: number) }
    #expect(numbers.entries.map(\.0) == wanted)
    let names = try store.orderedMap("names", of: (String.self, PersistentUUID.self))
    let id = PersistentUUID(high: 1, low: 2)
    for name in ["b", "", "a", "ab", "a\0", "é"] { try names.set(id, for: name) }
    #expect(names.entries.map(\.0) == ["", "a", "a\0", "ab", "b", "é"])
    #expect(names.entries.allSatisfy { $0.1 == id })
  }
}
