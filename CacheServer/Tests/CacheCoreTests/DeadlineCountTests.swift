import CacheTestSupport
import Foundation
import KexecHandover
import PersistentCollections
import RESP
import SystemPackage
import Testing

@testable import CacheCore

/// How many entries have a deadline is right whenever the process is killed: the memory file is copied
/// at each place where that may be, and the copy opened.
@Suite struct DeadlineCountTests {
  /// What gives an entry a deadline, or takes it away.
  enum Change: CaseIterable {
    case newWithDeadline, deadlineGiven, deadlineTaken, replacedWithout, removed, severalReplaced
  }

  private let folder: Folder

  init() throws { folder = try Folder() }

  private func path(_ name: String) -> FilePath { FilePath(folder.path(name)) }

  /// A copy of the memory as it is now.
  private func copy(_ name: String) throws {
    try FileManager.default.copyItem(
      atPath: folder.path("memory"), toPath: folder.path(name))
  }

  @Test(arguments: Change.allCases)
  func everyCrashWindow(of change: Change) throws {
    let bench = try CacheBench(in: try PreservedMemory.open(path("memory")), at: 1_000_000)
    for number in 0..<20 {
      let options = number % 3 == 0 ? " EX 100" : ""
      #expect(bench.send("SET key\(number) value\(number)\(options)") == "+OK⏎")
    }
    let before = try bench.deadlines()
    var copies: [String] = []
    func crash(_ name: String) throws {
      copies.append(name)
      try copy(name)
    }
    func note(_ key: [UInt8], _ with: UInt64, _ without: UInt64, _ cache: inout Cache) {
      cache.ledger.begin(
        witness: key.rawSpan, with: with, without: without, in: &cache.map.memory)
    }
    let witness = Array((change == .newWithDeadline ? "new" : "key3").utf8)
    let other = Array("key4".utf8)
    let had = change != .newWithDeadline && change != .deadlineGiven
    let key = change == .deadlineGiven ? other : witness
    let lost: UInt64 = change == .severalReplaced ? 2 : 1
    let old = bench.deadlineCount
    let new = had ? old - lost : old + 1

    try crash("before")
    // Half of the note is written.
    bench.withCache { note(key, had ? old : new, had ? new : old, &$0) }
    bench.withCache { $0.ledger.store(0, at: .witness, in: &$0.map.memory) }
    try crash("half a note")
    var failure: (any Error)?
    try bench.cache!.changeDeadlines(to: new, witness: key.rawSpan, hadDeadline: had) {
      (map) throws(PersistentCollectionError) in
      do { try crash("noted") } catch { failure = error }
      try Self.perform(change, key, in: &map)
      do { try crash("changed") } catch { failure = error }
    }
    if let failure { throw failure }
    try crash("done")
    // The number is stored, and the note not yet forgotten.
    bench.withCache { note(key, had ? old : new, had ? new : old, &$0) }
    try crash("still noted")
    let after = try bench.deadlines()
    try #require(before != after)

    for (name, expected) in zip(copies, [before, before, before, after, after, after]) {
      // And once more, after what it was killed in is over.
      for _ in 0..<2 {
        let opened = try CacheBench(in: try PreservedMemory.open(path(name)), at: 1_000_000)
        try #require(try opened.deadlines() == expected, "\(name)")
        let count = UInt64(expected.values.count { $0 != 0 })
        try #require(opened.deadlineCount == count, "\(name)")
        try #require(opened.problems() == [])
        // The copy was not closed: the process that had it was killed.
        try #require(opened.withCache { $0.crashCount } == 1)
        opened.end()
      }
    }
  }

  private static func perform(
    _ change: Change, _ key: [UInt8], in map: inout PersistentByteMap
  ) throws(PersistentCollectionError) {
    switch change {
    case .newWithDeadline:
      try map.setValue(key.rawSpan, of: key.rawSpan, metadata: EntryMetadata(first: 9_000_000))
    case .deadlineGiven: _ = try map.withValue(of: key.rawSpan) { $1.first = 9_000_000 }
    case .deadlineTaken: _ = try map.withValue(of: key.rawSpan) { $1.first = 0 }
    case .replacedWithout: try map.setValue(key.rawSpan, of: key.rawSpan)
    case .removed: try map.removeValue(of: key.rawSpan)
    case .severalReplaced:
      try map.transaction { (map) throws(PersistentCollectionError) in
        for name in ["key3", "key6", "key7"] {
          try map.setValue(key.rawSpan, of: Array(name.utf8).rawSpan)
        }
      }
    }
  }

  /// Everything is removed, and the number not stored any more.
  @Test func crashAfterRemovalOfEverything() throws {
    let bench = try CacheBench(in: try PreservedMemory.open(path("memory")), at: 1_000_000)
    #expect(bench.send("SET a 1 EX 100") == "+OK⏎")
    try bench.cache!.map.removeAll()
    try copy("removed")
    let opened = try CacheBench(in: try PreservedMemory.open(path("removed")), at: 1_000_000)
    #expect(opened.deadlineCount == 0)
    opened.end()
    bench.end()
  }

  /// What is refused or fails changes no number.
  @Test func failures() throws {
    let bench = try CacheBench()
    #expect(bench.send("SET a 1 EX 100") == "+OK⏎")
    #expect(bench.send("CONFIG SET maxmemory 1") == "+OK⏎")
    for request in ["SET b 1 EX 5", "SET a 1", "MSET a 1 b 2", "SETEX c 5 1"] {
      #expect(bench.send(request).hasPrefix("-OOM"))
      #expect(bench.deadlineCount == 1)
      #expect(try bench.countedDeadlines() == 1)
    }
    let long = String(repeating: "k", count: 65_536)
    #expect(bench.send("CONFIG SET maxmemory 0") == "+OK⏎")
    #expect(bench.send(bytes: Self.longKey(long)).first == UInt8(ascii: "-"))
    #expect(bench.deadlineCount == 1)
  }

  private static func longKey(_ key: String) -> [UInt8] {
    Array("*5\r\n$3\r\nSET\r\n$65536\r\n\(key)\r\n$1\r\na\r\n$2\r\nEX\r\n$1\r\n5\r\n".utf8)
  }
}
