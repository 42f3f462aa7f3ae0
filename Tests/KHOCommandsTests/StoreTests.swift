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
