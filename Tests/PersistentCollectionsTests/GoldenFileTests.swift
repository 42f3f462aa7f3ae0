import HandoverTestSupport
import KexecHandover
import PersistentCollections
import Testing

/// Files that earlier versions wrote.
@Suite struct GoldenFileTests {
  @Test func memoryOfLayout1IsTakenOver() throws {
    var memory = try PreservedMemory(adopting: GoldenFile.open("memory-layout-1"))
    #expect(try memory.names() == ["text", "area", "number"])
    let text = try #require(try memory.region(named: "text"))
    #expect(text.byteCount == 6000)
    memory.withBytes(of: text) { bytes in
      for offset in 0..<6000 {
        #expect(bytes.byte(at: offset) == UInt8(truncatingIfNeeded: offset &* 7))
      }
    }
    let number = try memory.value(named: "number", initially: 0 as UInt64)
    #expect(memory.load(number) == 77)
    #expect(try memory.blocks(ofArea: "area").count == 5)
    // And a collection can be made in it.
    var map = try PersistentMap<String, UInt64>.open(memory, named: "new")
    try map.setValue(5, of: "five")
    #expect(try map.value(of: "five") == 5)
  }

  /// A store of superblock layout 2, with ledger layout 1 and collections of layout 2.
  @Test func storeOfLayout2IsTakenOver() throws {
    let file = try GoldenFile.open("store-layout-2")
    let before = try SuperblockContents(reading: file)
    #expect(before.layoutVersion == 2 && before.features == 1)
    let store = try PersistentStore(PreservedMemory(adopting: file))
    let summaries = try store.contents()
    #expect(summaries.map(\.name) == ["users", "visits", "jobs", "total", "motto"])
    #expect(summaries.map(\.count) == [50, 30, 10, 0, 1])
    let users = try store.map("users", of: (String.self, UInt64.self))
    let visits = try store.orderedMap("visits", of: (Int32.self, String.self))
    let jobs = try store.log("jobs", of: [UInt8].self)
    for number in 0..<50 { #expect(try users["user \(number)"] == UInt64(number * number)) }
    #expect(visits.entries.map(\.0) == (0..<30).map { Int32($0) - 15 })
    #expect(try visits[-15] == "visit 0" && visits[14] == "visit 29")
    for number in 0..<10 {
      #expect(try jobs[UInt64(number)] == [UInt8](repeating: UInt8(number), count: number * 900))
    }
    #expect(try store.counter("total").value == -42)
    #expect(try store.value("motto", of: String.self).value == "Pages survive.")
    #expect(try users.check().findings == [] && visits.check().findings == [])
    #expect(try jobs.check().findings == [])
    try users.set(7, for: "new")
    #expect(try users.count == 51)
  }

  /// The same layout, in the middle of a transaction that changed three collections: the log of the transaction is
  /// undone, so the store has its contents of before.
  @Test func storeOfLayout2IsRecovered() throws {
    let file = try GoldenFile.open("store-layout-2-killed")
    let store = try PersistentStore(PreservedMemory(adopting: file))
    let users = try store.map("users", of: (String.self, UInt64.self))
    let visits = try store.orderedMap("visits", of: (Int32.self, String.self))
    let jobs = try store.log("jobs", of: String.self)
    for number in 0..<20 { #expect(try users["user \(number)"] == UInt64(number)) }
    #expect(try users.count == 20)
    #expect(visits.entries.map(\.0) == (0..<20).map { Int32($0) })
    #expect(try jobs.range == 0..<20)
    #expect(try users.check().findings == [] && visits.check().findings == [])
    #expect(try jobs.check().findings == [])
    try users.set(7, for: "user 3")
    #expect(try users["user 3"] == 7)
  }

  /// Makes the file for the test above, and copies it before the transaction ends.
  @Test func aStoreInTheMiddleOfATransaction() throws {
    let memory = try PreservedMemory(
      creating: .memfd(name: "golden"), byteCount: 1 << 20, growableTo: 1 << 28)
    let file = memory.file
    let store = try PersistentStore(memory)
    let users = try store.map("users", of: (String.self, UInt64.self))
    let visits = try store.orderedMap("visits", of: (Int32.self, String.self))
    let jobs = try store.log("jobs", of: String.self)
    try store.transaction {
      for number in 0..<20 {
        try users.set(UInt64(number), for: "user \(number)")
        try visits.set("visit \(number)", for: Int32(number))
        _ = try jobs.append("job \(number)")
      }
    }
    try store.transaction {
      for number in 0..<20 {
        try users.set(99, for: "user \(number)")
        try users.set(1, for: "new \(number)")
        _ = try visits.remove(Int32(number))
        _ = try jobs.append("late job \(number)")
      }
      _ = try jobs.removeFirst()
      try GoldenFile.write(file, "store-layout-2-killed")
    }
    #expect(try users.count == 40 && jobs.range == 1..<40)
  }

  /// A memory without collections is of layout 1, which every version reads; the first collection makes it
  /// layout 2, which a program that does not know ledgers refuses.
  @Test func theFirstCollectionMarksTheFile() throws {
    let memory = try PreservedMemory(creating: .memfd(name: "marked"), byteCount: 1 << 20)
    let file = memory.file
    #expect(try SuperblockContents(reading: file).layoutVersion == 1)
    // What a program of layout 1 compares.
    func version() -> UInt64? {
      file.withBytes(in: PhysicalRange(start: PhysicalAddress(8), byteCount: 8)) {
        $0.word(atByte: 0)
      } ?? nil
    }
    #expect(version() == 1)
    let store = try PersistentStore(memory)
    #expect(version() == 2)
    #expect(try SuperblockContents(reading: file).features == 1)
    _ = store
  }

  /// A map of layout 1 is refused by name, and its file is as it was.
  @Test(arguments: ["map-layout-1", "map-layout-1-killed"])
  func mapOfLayout1IsRefused(name: String) throws {
    let file = try GoldenFile.open(name)
    let memory = try PreservedMemory(adopting: file)
    let region = try #require(try memory.region(named: "map"))
    let before = memory.withBytes(of: region) { $0.copiedBytes() }
    do throws(PersistentCollectionError) {
      _ = try PersistentByteMap.open(memory)
      Issue.record("opened")
    } catch {
      #expect(error == .unknownLayout(version: 1))
    }
    #expect(file.withBytes(in: region) { $0.copiedBytes() } == before)
    #expect(try PreservedMemory(adopting: file).names() == ["map"])
  }
}
