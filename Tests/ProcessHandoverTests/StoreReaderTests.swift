import Foundation
import HandoverTestSupport
import KexecHandover
import PersistentCollections
import Platform
import SystemPackage
import Testing

/// A process that reads a store while another one changes it.
@Suite struct StoreReaderTests {
  private func isWhole(_ value: [UInt8]) -> Bool { value.allSatisfy { $0 == value.first } }

  @Test func readsBesideAProcessThatChanges() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("store")
    let writer = try HelperProcess("store-change", path.string)
    #expect(try writer.readLine() == "changing")
    let store = try PersistentStore.openToRead(path)
    #expect(store.isReadOnly)
    let left = try store.map("left", of: (UInt64.self, [UInt8].self))
    let right = try store.orderedMap("right", of: (UInt64.self, [UInt8].self))
    let counter = try store.counter("counter")
    var last: Int64 = 0
    for round in 0..<24 {
      // Every second time the writer is stopped, wherever it is: then each read comes to its end.
      let isStopped = round.isMultiple(of: 2)
      if isStopped { SystemCalls.signal(writer.processID, SIGSTOP) }
      defer { if isStopped { SystemCalls.signal(writer.processID, SIGCONT) } }
      do throws(PersistentCollectionError) {
        let count = try counter.value
        #expect(count >= last)
        last = count
        if let value = try left[UInt64(round % 64)] { #expect(isWhole(value)) }
        if let value = try right[UInt64(round % 64)] { #expect(isWhole(value)) }
        if round.isMultiple(of: 8) {
          var keys: [UInt64] = []
          var entries = right.entries
          while let (key, value) = entries.next() {
            keys.append(key)
            #expect(isWhole(value))
          }
          if let failure = entries.failure { throw failure }
          #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 })
          try left.forEach { _, value in
            #expect(isWhole(value))
            return true
          }
          #expect(try store.contents().map(\.name).starts(with: ["left", "right"]))
        }
      } catch {
        // A process that changes the store without a pause can keep another from reading.
        guard error == .changing, !isStopped else { throw error }
      }
    }
    #expect(throws: PersistentCollectionError.readOnly) { try left.set([1], for: 1) }
    #expect(throws: PersistentCollectionError.readOnly) { try store.transaction {} }
    #expect(throws: PersistentCollectionError.memory(.noSuchName)) {
      _ = try store.counter("nothing")
    }
    #expect(throws: PersistentCollectionError.notThisCollection) {
      _ = try store.map("right", of: (UInt64.self, [UInt8].self))
    }
    writer.kill()

    // The change in which it was killed has not happened, for the reader and for the successor.
    let seen = (
      Dictionary(uniqueKeysWithValues: left.entries), Array(right.entries), try counter.value
    )
    #expect(seen.1.map(\.0) == seen.0.keys.sorted())
    #expect(seen.1.allSatisfy { seen.0[$0.0] == $0.1 })
    // A copy that the reader made is a store of its own.
    let copyPath = folder.path.appending("copy")
    try store.backUp(to: copyPath)
    for place in [copyPath, path] {
      let next = try PersistentStore.open(place)
      #expect(try next.counter("counter").value == seen.2)
      let map = try next.map("left", of: (UInt64.self, [UInt8].self))
      #expect(Dictionary(uniqueKeysWithValues: map.entries) == seen.0)
      #expect(try map.check().findings == [])
      let ordered = try next.orderedMap("right", of: (UInt64.self, [UInt8].self))
      #expect(try ordered.count == seen.1.count && ordered.check().findings == [])
    }
    // The reader goes on with the successor's changes.
    let next = try PersistentStore.open(path)
    try next.map("left", of: (UInt64.self, [UInt8].self)).set([9], for: 1000)
    #expect(try left[1000] == [9])
    let nextCounter = try next.counter("counter")
    try next.transaction {
      try nextCounter.add(5)
      #expect(try counter.value == seen.2)
    }
    #expect(try counter.value == seen.2 + 5)
    // The file grows, and a collection is removed.
    let grown = try next.map("left", of: (UInt64.self, [UInt8].self))
    for key in 2000..<2020 as Range<UInt64> {
      try grown.set([UInt8](repeating: 7, count: 200_000), for: key)
    }
    #expect(try left[2019]?.count == 200_000)
    try next.removeCollection("left")
    #expect(throws: PersistentCollectionError.self) { _ = try left[2019] }
  }

  @Test func aFileThatIsNotAStoreIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    #expect(throws: PersistentCollectionError.self) { _ = try PersistentStore.openToRead(path) }
    _ = try PreservedMemory.open(path, byteCount: 1 << 20)
    #expect(throws: PersistentCollectionError.notThisCollection) {
      _ = try PersistentStore.openToRead(path)
    }
    try Data(repeating: 3, count: 8192).write(to: URL(filePath: path.string))
    #expect(throws: PersistentCollectionError.self) { _ = try PersistentStore.openToRead(path) }
  }
}
