import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// `standby yes`: a second server that serves once the first one has ended.
@Suite struct StandbyTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  @Test func servesAfterAKill() throws {
    let server = try ServerProcess(file)
    let standby = try ServerProcess(file, port: server.port, standsBy: true)
    let client = try server.connect()
    for number in 0..<1000 {
      #expect(try client.send("SET", "key \(number)", "\(number)") == "+OK")
    }
    try server.crash()
    try standby.awaitReady()
    #expect(standby.port == server.port)
    let other = try standby.connect()
    for number in 0..<1000 {
      try #require(try other.send("GET", "key \(number)") == "\(number)")
    }
    #expect(try other.info("crash_restarts") == "1")
    #expect(try standby.end() == 0)
  }

  @Test func anUpgradeDoesNotEndTheWait() throws {
    let server = try ServerProcess(file)
    let standby = try ServerProcess(file, port: server.port, standsBy: true)
    let client = try server.connect()
    #expect(try client.send("SET", "a", "1") == "+OK")
    for _ in 0..<3 {
      server.signal(SIGUSR2)
      try server.awaitExchange()
    }
    #expect(try client.info("process_id") == "\(server.processID)")
    #expect(server.processID != standby.processID)
    try server.end()
    try standby.awaitReady()
    let other = try standby.connect()
    #expect(try other.send("GET", "a") == "1")
    #expect(try other.info("crash_restarts") == "0")
    #expect(try standby.end() == 0)
  }

  @Test func oneOfSeveralServes() throws {
    let server = try ServerProcess(file)
    #expect(try server.connect().send("SET", "a", "1") == "+OK")
    let standbys = try (0..<3).map { _ in
      try ServerProcess(file, port: server.port, standsBy: true)
    }
    // The one that serves is killed, until one is left.
    try server.crash()
    for round in 1...3 {
      let client = try patientClient(port: server.port)
      #expect(try client.send("GET", "a") == "1")
      #expect(try client.info("crash_restarts") == "\(round)")
      let id = try #require(try Int32(client.info("process_id") ?? ""))
      let serving = try #require(standbys.first { $0.processID == id })
      try serving.awaitReady()
      if round < 3 { try serving.crash() } else { #expect(try serving.end() == 0) }
    }
  }

  /// Connects as soon as a server listens at `port`.
  private func patientClient(port: UInt16) throws -> Client {
    while true {
      do { return try Client(port: port) } catch { sched_yield() }
    }
  }

  @Test func signalsWhileItWaits() throws {
    let server = try ServerProcess(file)
    #expect(try server.connect().send("SET", "a", "1") == "+OK")
    let ended = try ServerProcess(file, port: server.port, standsBy: true)
    #expect(try ended.end() == 0)
    // An upgrade that is asked for comes as soon as the standby serves.
    let upgraded = try ServerProcess(file, port: server.port, standsBy: true)
    let old = upgraded.processID
    upgraded.signal(SIGUSR2)
    try server.crash()
    try upgraded.awaitReady()
    #expect(upgraded.processID == old)
    try upgraded.awaitExchange()
    #expect(upgraded.processID != old)
    #expect(try upgraded.connect().send("GET", "a") == "1")
    try upgraded.end()
  }

  @Test func withoutAServerItServesAtOnce() throws {
    let standby = try ServerProcess(file, standsBy: true)
    try standby.awaitReady()
    #expect(try standby.connect().info("started_by") == "created")
    #expect(try standby.end() == 0)
  }

  @Test func aPortThatIsTakenIsAnError() throws {
    let other = try ServerProcess(folder.path("other"))
    let run = try EndedRun(
      "--port", "\(other.port)", "--memory-file", file, "--standby", "yes")
    #expect(run.status == 1)
    #expect(run.errors.contains("cannot be listened at"))
    #expect(!FileManager.default.fileExists(atPath: file))
    #expect(try other.end() == 0)
  }

  @Test func refusals() throws {
    let memfd = try EndedRun("--memory-file", "memfd:a", "--standby", "yes")
    #expect(memfd.status == 2)
    #expect(memfd.errors == "cache-server: standby yes needs a memory-file with a path\n")
    let word = try EndedRun("--standby", "maybe")
    #expect(word.status == 2)
    #expect(word.errors == "cache-server: --standby maybe: it is yes or no\n")
  }
}
