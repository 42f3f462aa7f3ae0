import Foundation
import HandoverTestSupport
import KexecHandover
import PersistentCollections
import SystemPackage
import Testing

@testable import KHOCommands

/// `kho store`.
@Suite struct StoreTests {
  private let folder: URL
  private var path: String { folder.appending(path: "memory").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "kho-store-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func fill() throws {
    let store = try PersistentStore.open(.init(path), byteCount: 8 << 20)
    let users = try store.map("users", of: (String.self, UInt64.self))
    let visits = try store.orderedMap("visits", of: (Int32.self, String.self))
    let jobs = try store.log("jobs", of: [UInt8].self)
    try users.set(5, for: "an\"n\n")
    try visits.set("first", for: -1)
    try visits.set("second", for: 7)
    try jobs.append([0xff, 0x01])
    _ = store.close()
  }

  @Test func collectionsAndEntries() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try fill()
    let list = CommandRun(["store", path])
    #expect(list.status == 0, "\(list.errors)")
    for line in ["users   map", "visits  orderedMap", "jobs    log"] {
      #expect(list.text.contains(line), "\(list.text)")
    }
    #expect(CommandRun(["store", path, "--json"]).text.contains(#""schema": "kho-store/1""#))
    let users = CommandRun(["store", path, "--entries", "users"]).text
    #expect(users == #"{"key": "an\"n\n", "value": 5}"# + "\n")
    #expect(
      CommandRun(["store", path, "--entries", "visits"]).text == """
        {"key": -1, "value": "first"}
        {"key": 7, "value": "second"}

        """)
    #expect(
      CommandRun(["store", path, "--entries", "jobs"]).text
        == #"{"key": 0, "value": "ff01"}"# + "\n")
  }

  private struct StoreJSON: Decodable {
    struct Collection: Decodable {
      var kind: String
      var value: String?
    }
    var collections: [Collection]
  }

  /// A counter has no entries; its number is printed.
  @Test(arguments: [75, 0, -3] as [Int64])
  func counters(number: Int64) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try fill()
    let store = try PersistentStore.open(.init(path))
    try store.counter("total").add(number)
    _ = store.close()
    let lines = CommandRun(["store", path]).text.split(separator: "\n")
    #expect(lines.first?.hasSuffix("  VALUE") == true)
    let line = try #require(lines.first { $0.hasPrefix("total ") })
    #expect(line.hasSuffix(" \(number)"), "\(line)")
    let users = try #require(lines.first { $0.hasPrefix("users ") })
    #expect(users.split(separator: " ").count == 5, "\(users)")
    let json = CommandRun(["store", path, "--json"])
    let document = try json.json(StoreJSON.self)
    #expect(document.collections.first { $0.kind == "counter" }?.value == "\(number)")
    #expect(document.collections.allSatisfy { ($0.value == nil) == ($0.kind != "counter") })
    #expect(
      CommandRun(["store", path, "--entries", "total"]).text
        == #"{"key": "", "value": \#(number)}"# + "\n")
  }

  private struct Job: Codable {
    var name: String
    var attempts: [Int]
    var delay: Double?
    var isUrgent: Bool
  }

  @Test func codedValuesAreJSON() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try PersistentStore.open(.init(path), byteCount: 8 << 20)
    let jobs = try store.log("jobs", of: Coded<Job>.self)
    try jobs.append(Coded(Job(name: "a\"b", attempts: [1, -2], delay: 0.5, isUrgent: true)))
    try jobs.append(Coded(Job(name: "", attempts: [], delay: .infinity, isUrgent: false)))
    _ = store.close()
    #expect(
      CommandRun(["store", path, "--entries", "jobs"]).text == #"""
        {"key": 0, "value": {"name": "a\"b", "attempts": [1, -2], "delay": 0.5, "isUrgent": true}}
        {"key": 1, "value": {"name": "", "attempts": [], "delay": "inf", "isUrgent": false}}

        """#)
  }

  // MARK: The commands for handovers

  private func fillMore() throws {
    try fill()
    let store = try PersistentStore.open(.init(path))
    let users = try store.map("users", of: (String.self, UInt64.self))
    for number in 0..<3000 as Range<UInt64> { try users.set(number, for: "user \(number)") }
    try store.counter("total").add(3)
    try store.withMemory { memory throws(PreservedMemoryError) in
      _ = try memory.makeRegion(named: "other", byteCount: 10_000)
    }
    _ = store.close()
  }

  /// Changes bytes of the file where `body` finds them.
  private func damage(
    _ body: (StoreInspection<MemoryFile>, MemoryFile) throws -> PhysicalRange
  ) throws {
    let file = try MemoryFile.open(.init(path))
    let contents = try MemoryContents(reading: file)
    let range = try body(try #require(try StoreInspection(contents, in: file)), file)
    file.withWords(at: range.start, count: Int(range.byteCount / 8)) { $0.clear() }
  }

  private struct OwnersJSON: Decodable {
    let handovers: [Handover]
    struct Handover: Decodable {
      let owners: [Account]
      let unowned: Account
      let disputedBytes: UInt64
    }
    struct Account: Decodable {
      let owner: Owner?
      let bytes: UInt64
    }
    struct Owner: Decodable {
      let kind: String
      let name: String?
      let use: String
    }
  }

  @Test func everyByteHasAnOwner() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try fillMore()
    let report = try CommandRun(["owners", path, "--json"]).json(OwnersJSON.self)
    let handover = try #require(report.handovers.first)
    #expect(handover.unowned.bytes == 0 && handover.disputedBytes == 0)
    let collections = handover.owners.filter { $0.owner?.kind == "collection" }
    #expect(collections.compactMap { $0.owner?.name } == ["users", "visits", "jobs"])
    #expect(collections.allSatisfy { $0.bytes >= 2 << 20 && $0.owner?.use == "piece" })
    let text = CommandRun(["owners", path]).text
    #expect(text.contains(#"collection "users""#), "\(text)")
    let inspection = CommandRun(["inspect", path])
    #expect(inspection.text.contains("users: map, 3001 entries, "), "\(inspection.text)")
    #expect(inspection.text.contains("visits: ordered map, 2 entries, "))
    #expect(inspection.text.contains("kho-ledger: the ledger of 4 collections, which have "))
    #expect(CommandRun(["inspect", path, "--json"]).text.contains(#""kind": "orderedMap""#))
    let check = CommandRun(["check", path])
    #expect(check.status == 0 && check.text.contains("nothing found"), "\(check.text)")
  }

  enum Destruction: CaseIterable { case pages, root, ledger, index }

  /// What was destroyed is an error, and is not passed as sound.
  @Test(arguments: Destruction.allCases)
  func destroyedCollectionsAreErrors(_ kind: Destruction) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try fillMore()
    try damage { store, file in
      let users = try #require(store.collections.first { $0.name == "users" })
      switch kind {
      case .pages:
        let extent = try #require(users.pieces.first { $0.byteCount == 2 << 20 })
        return PhysicalRange(start: extent.start, byteCount: 60 * 4096)
      case .root: return users.root
      case .ledger: return PhysicalRange(start: store.ledgerRegion.start, byteCount: 4096)
      case .index:
        let chunk = try #require(users.pieces.first { $0.byteCount == 1 << 18 })
        return PhysicalRange(start: chunk.start, byteCount: 4096)
      }
    }
    let check = CommandRun(["check", path])
    #expect(check.status == 1, "\(check.text)\(check.errors)")
    #expect(check.text.contains("error record-content-damaged: "), "\(check.text)")
    #expect(!check.text.contains("nothing found"))
    for command in ["inspect", "owners", "store"] {
      let run = CommandRun([command, path])
      #expect([0, 1, 3].contains(run.status), "\(command): \(run.errors)")
    }
  }

  /// A file whose process was killed in a change is read as the next process will find it.
  @Test func changeThatWasNotCompleted() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try fillMore()
    let copy = folder.appending(path: "copy")
    let store = try PersistentStore.open(.init(path))
    let users = try store.map("users", of: (String.self, UInt64.self))
    let visits = try store.orderedMap("visits", of: (Int32.self, String.self))
    try store.transaction {
      for number in 0..<40 {
        try users.remove("user \(number)")
        try users.set(99, for: "user \(number + 100)")
        try visits.set("x\(number)", for: Int32(number + 100))
      }
      try FileManager.default.copyItem(at: URL(filePath: path), to: copy)
    }
    let check = CommandRun(["check", copy.path])
    #expect(check.status == 0, "\(check.text)")
    let entries = CommandRun(["store", copy.path, "--entries", "users"]).text
    #expect(entries.contains(#"{"key": "user 5", "value": 5}"#))
    #expect(entries.contains(#"{"key": "user 105", "value": 105}"#))
    #expect(entries.split(separator: "\n").count == 3001)
    #expect(
      CommandRun(["store", copy.path, "--entries", "visits"]).text.split(separator: "\n").count == 2
    )
    let list = CommandRun(["store", copy.path])
    #expect(list.status == 0 && list.text.contains("a change is being made"))
  }

  @Test func unknownLayoutsAreNamed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    // A root of layout 1, which had no ledger.
    var memory = try PreservedMemory.open(.init(path), byteCount: 1 << 20)
    try memory.makeRegion(named: "old map", byteCount: 24576 + 16384 * 16) {
      $0.storeBytes(of: 0x5041_4d4f_484b_1a0d as UInt64, toByteOffset: 0, as: UInt64.self)
      $0.storeBytes(of: 1 as UInt64, toByteOffset: 8, as: UInt64.self)
    }
    _ = consume memory
    let check = CommandRun(["check", path])
    #expect(
      check.text.contains(
        #"note record-format-unknown: collection "old map" has the unknown format "layout 1""#),
      "\(check.text)")
  }

  @Test func refusals() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try fill()
    let missing = CommandRun(["store", path, "--entries", "nothing"])
    #expect(missing.status == 3 && missing.errors.contains("no collection called nothing"))
    #expect(CommandRun(["store", path + "-2"]).status == 3)
    try Data(repeating: 7, count: 8192).write(to: folder.appending(path: "other"))
    let other = CommandRun(["store", folder.appending(path: "other").path])
    #expect(other.status == 3 && other.errors.contains("is not a memory file"))
  }
}
