import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// A memory file on a file system that is full: a small tmpfs, which the server mounts in a namespace of its own.
@Suite struct FullFileSystemTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// Whether this process may mount.
  private static let mayMount: Bool = {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    process.arguments = ["-m", "true"]
    process.standardError = FileHandle.nullDevice
    guard geteuid() == 0, (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  private func start(_ arguments: String...) throws -> ServerProcess {
    let script = """
      exec unshare -m sh -c 'mount -t tmpfs -o size=48m tmpfs "$0" && exec "$@"' \\
        \(folder.path("mounted")) \(builtProgram("cache-server")) "$@"
      """
    try FileManager.default.createDirectory(
      atPath: folder.path("mounted"), withIntermediateDirectories: false)
    return try ServerProcess(
      folder.path("mounted/memory"), arguments,
      program: try folder.writeScript(script, to: "script"))
  }

  /// Values of megabytes replace each other. The server refuses none of them, before and after an upgrade.
  @Test(.enabled(if: mayMount, "only root may mount a file system"))
  func largeValues() throws {
    let server = try start("--maxmemory-policy", "allkeys-lru")
    let client = try server.connect()
    func setAll(_ name: String) throws {
      for number in 0..<40 {
        let value = String(repeating: "0123456789", count: 250_000 + number % 5 * 60_000)
        try #require(
          try client.send("SET", "\(name)\(number)", value) == "+OK", "\(name) \(number)")
        try #require(try client.send("STRLEN", "\(name)\(number)") == ":\(value.utf8.count)")
      }
    }
    // Small values first, which fill the file system.
    for number in 0..<30_000 {
      try client.write(Wire.request("SET", "s\(number)", String(repeating: "x", count: 2000)))
      if number % 100 == 99 {
        for _ in 0..<100 { try #require(try client.readLine() == "+OK") }
      }
    }
    #expect(try Int(client.info("evicted_keys") ?? "") ?? 0 > 0)
    try setAll("a")
    #expect(try client.send("UPGRADE") == "+OK")
    try server.awaitReady()
    try setAll("b")
    try server.end()
  }

  /// Without eviction, the server refuses a value that does not fit with the reason, and FLUSHALL makes room.
  @Test(.enabled(if: mayMount, "only root may mount a file system"))
  func flushing() throws {
    let server = try start()
    let client = try server.connect()
    for command in ["FLUSHALL", "FLUSHDB"] {
      var stored = 0
      var reply = ""
      repeat {
        reply = try client.send(
          "SET", "key\(stored)", String(repeating: "0123456789", count: 100_000))
        stored += 1
      } while reply == "+OK"
      #expect(stored > 30)
      #expect(reply.hasPrefix("-OOM the file system of the memory file has no more room"))
      #expect(try client.send(command) == "+OK")
      #expect(try client.send("DBSIZE") == ":0")
    }
    try server.end()
  }
}
