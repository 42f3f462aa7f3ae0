import CacheTestSupport
import Foundation
import SystemPackage
import Testing
import TrialSupport

/// What a server does over a long life: descriptors, signals, configuration, what it says about itself.
@Suite struct LifeTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  /// After upgrades a successor has its clients' sockets once each, and closing one ends the connection.
  @Test func descriptorsDoNotLeak() throws {
    let server = try ServerProcess(file)
    let clients = try (0..<20).map { _ in try server.connect() }
    var kinds: [[String: Int]] = []
    for client in clients { #expect(try client.send("PING") == "+PONG") }
    for upgrade in 1...5 {
      #expect(try clients[0].send("UPGRADE") == "+OK")
      try server.awaitReady()
      #expect(try clients[1].info("upgrades") == "\(upgrade)")
      let found = try server.descriptors()
      #expect(found.count { $0.hasPrefix("socket:") } < 30, "upgrade \(upgrade): \(found)")
      // Of epoll and its like, a successor has what it has made.
      kinds.append(
        Dictionary(grouping: found.filter { $0.hasPrefix("anon_inode:") }) { $0 }.mapValues(\.count)
      )
    }
    let most = kinds.map { $0["anon_inode:[eventpoll]"] ?? 0 }
    #expect(most.max()! <= 4, "\(most)")
    // Closed by QUIT, by another client, and after an error.
    #expect(try clients[2].send("QUIT") == "+OK")
    #expect(try clients[2].isAtEnd())
    let id = String(try clients[3].send("CLIENT", "ID").dropFirst())
    #expect(try clients[4].send("CLIENT", "KILL", "ID", id) == ":1")
    #expect(try clients[3].isAtEnd())
    try clients[5].write("*1\r\nx\r\n".utf8)
    #expect(try clients[5].readLine().hasPrefix("-ERR Protocol error"))
    #expect(try clients[5].isAtEnd())
    #expect(try server.socketCount() <= 30 - 3)
    try server.end()
  }

  /// As many clients as there are descriptors for can be handed over.
  @Test func upgradeAtTheLimit() throws {
    let limited = try folder.writeScript(
      "ulimit -n 128\nexec \(builtProgram("cache-server")) \"$@\"", to: "limited")
    let server = try ServerProcess(file, program: limited)
    let clients = try (0..<96).map { _ in try server.connect() }
    for client in clients { #expect(try client.send("INCR", "n").hasPrefix(":")) }
    for upgrade in 1...3 {
      #expect(try clients[0].send("UPGRADE") == "+OK", "upgrade \(upgrade)")
      try server.awaitReady()
      for client in clients { #expect(try client.send("PING") == "+PONG") }
    }
    #expect(try clients[5].send("GET", "n") == "96")
    try server.end()
  }

  @Test func keepAlive() throws {
    let server = try ServerProcess(file, ["--tcp-keepalive", "120"])
    let client = try server.connect()
    #expect(try client.parameter("tcp-keepalive") == "120")
    // ss(8) is not everywhere; the kernel shows the timer of a connection without data in /proc/net/tcp.
    func timers() throws -> [String] {
      let text = String(decoding: try SystemCalls.contents(of: "/proc/net/tcp"), as: UTF8.self)
      let port = String(server.port, radix: 16, uppercase: true)
      return text.split(separator: "\n").dropFirst().compactMap { line in
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        // The server's end of a connection: its own port, state ESTABLISHED.
        guard fields.count > 5, fields[1].hasSuffix(":" + port), fields[3] == "01" else {
          return nil
        }
        return String(fields[5])
      }
    }
    // "02" is the timer of keep-alive; the rest is how long it has to go, in hundredths of a second.
    let first = try timers()
    #expect(first.count == 1 && first.allSatisfy { $0.hasPrefix("02:") }, "\(first)")
    let left = try #require(Int(first[0].dropFirst(3), radix: 16))
    #expect(left <= 12_000 && left > 10_000)
    try server.end()
  }

  /// A start right after a kill waits until the kernel has taken the old process apart.
  @Test func startBehindKill() throws {
    for round in 0..<6 {
      let server = try ServerProcess(file)
      #expect(try server.connect().send("INCR", "n") == ":\(round + 1)")
      server.signal(SIGKILL)
    }
  }

  @Test func processorTimeAndQueryBuffer() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    let time = Double(try client.info("used_cpu_user") ?? "")
    #expect(time != nil && time! >= 0)
    let list = try client.send("CLIENT", "LIST")
    #expect(list.contains(" qbuf=26 "), "\(list)")
    // What another client has sent of a request counts.
    let half = try server.connect()
    try half.write("*2\r\n$3\r\nGET\r\n$100\r\n0123456789".utf8)
    // The server reads it when it comes to it: after a bounded number of other requests.
    var both = ""
    for _ in 0..<10_000 where !both.contains(" qbuf=29 ") {
      both = try client.send("CLIENT", "LIST")
    }
    #expect(both.contains(" qbuf=29 "), "\(both)")
    try server.end()
  }

  @Test func configurationFile() throws {
    try folder.write(
      """
      # A cache.
      maxmemory 64mb
      requirepass "a b"
      bind 127.0.0.1
      save ""

      """.utf8, to: "conf")
    let conf = folder.path("conf")
    let check = try EndedRun(conf, "--check-config")
    #expect(check.status == 0 && check.errors.isEmpty)
    let server = try ServerProcess(file, [], configuration: conf)
    let client = try server.connect()
    #expect(try client.send("AUTH", "a b") == "+OK")
    #expect(try client.parameter("maxmemory") == "\(64 << 20)")
    // SIGHUP reads it again; what is wrong in it changes nothing.
    try folder.write("maxmemory 32mb\nrequirepass \"a b\"\n".utf8, to: "conf")
    server.signal(SIGHUP)
    try server.awaitLine("was read again")
    #expect(try client.parameter("maxmemory") == "\(32 << 20)")
    try folder.write("maxmemory 16mb\nmaxmemry 1\n".utf8, to: "conf")
    server.signal(SIGHUP)
    let line = try server.awaitLine("nothing was changed")
    #expect(line.contains("line 2: maxmemry is not a directive of this server"))
    #expect(try client.parameter("maxmemory") == "\(32 << 20)")
    try server.end()
    let wrong = try EndedRun(conf, "--check-config")
    #expect(wrong.status == 2)
    #expect(
      wrong.errors
        == "cache-server: \(conf), line 2: maxmemry is not a directive of this server; see --help\n"
    )
    let appending = try EndedRun("--appendonly", "yes")
    #expect(appending.status == 2 && appending.errors.contains("always does as with appendonly no"))
  }

  /// SIGHUP of a server without a file changes nothing, and does not end it.
  @Test func hangUp() throws {
    let server = try ServerProcess(file)
    server.signal(SIGHUP)
    try server.awaitLine("no configuration file")
    #expect(try server.connect().send("PING") == "+PONG")
    try server.end()
  }

  /// SAVE says what it does: on tmpfs nothing is left to do, on a disk the file is written to it.
  @Test func saving() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    #expect(try client.send("SAVE") == "+OK")
    #expect(try client.info("memory_file_storage") == "tmpfs")
    #expect(try client.info("survives_power_loss") == "no")
    try server.end()
    let disk = FileManager.default.temporaryDirectory.appending(path: "cache-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: disk) }
    let other = try ServerProcess(disk.path)
    let writer = try other.connect()
    guard try writer.info("memory_file_storage") == "disk" else {
      // The folder for temporary files is on tmpfs as well.
      try other.end()
      return
    }
    #expect(try writer.info("survives_power_loss") == "after_save")
    let before = try #require(try Int(writer.send("LASTSAVE").dropFirst()))
    #expect(try writer.send("SET", "a", "1") == "+OK")
    #expect(try writer.send("SAVE") == "+OK")
    #expect(try #require(try Int(writer.send("LASTSAVE").dropFirst())) >= before)
    #expect(try writer.send("BGSAVE") == "+Background saving started")
    try other.end()
  }

  /// A client that has sent a request and is silent takes a few KiB of the process. Redis takes 9.
  @Test func silentClientsTakeLittle() throws {
    let server = try ServerProcess(file)
    let control = try server.connect()
    func byteCount() throws -> Int {
      try #require(try Int(control.info("used_memory_rss") ?? ""))
    }
    // What the first clients need for all of them.
    let first = try (0..<100).map { _ in try server.connect() }
    for client in first { #expect(try client.send("PING") == "+PONG") }
    let before = try byteCount()
    let others = try (0..<600).map { _ in try server.connect() }
    for client in others { #expect(try client.send("PING") == "+PONG") }
    let each = (try byteCount() - before) / others.count
    #expect(each < 16 << 10, "\(each) bytes")
    try server.end()
  }

  @Test func idleClientsAreDisconnected() throws {
    let server = try ServerProcess(file, ["--timeout", "1"])
    let idle = try server.connect()
    #expect(try idle.send("PING") == "+PONG")
    #expect(try idle.isAtEnd())
    try server.end()
  }

  @Test func versionAndHelp() throws {
    #expect(try EndedRun("--version").status == 0)
    #expect(try EndedRun("--help").status == 0)
    #expect(try EndedRun("--no-such").status == 2)
  }

  /// A client is the same after an upgrade: its database, its transaction, what it watches, its replies.
  @Test func clientsKeepTheirState() throws {
    let server = try ServerProcess(file)
    let first = try server.connect()
    let second = try server.connect()
    let third = try server.connect()
    #expect(try first.send("SELECT", "7") == "+OK")
    #expect(try first.send("SET", "a", "1") == "+OK")
    #expect(try first.send("WATCH", "a") == "+OK")
    #expect(try first.send("MULTI") == "+OK")
    #expect(try first.send("INCR", "a") == "+QUEUED")
    #expect(try second.send("WATCH", "b") == "+OK")
    #expect(try third.send("SET", "b", "changed") == "+OK")
    #expect(try third.send("UPGRADE") == "+OK")
    try server.awaitReady()
    #expect(try first.send("APPEND", "a", "0") == "+QUEUED")
    try first.write(Wire.request("EXEC"))
    #expect(try (0..<3).map { _ in try first.readLine() } == ["*2", ":2", ":2"])
    #expect(try first.send("GET", "a") == "20")
    #expect(try second.send("MULTI") == "+OK")
    #expect(try second.send("PING") == "+QUEUED")
    #expect(try second.send("EXEC") == "*-1")
    try server.end()
  }

  @Test func repliesAndPauses() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    try client.write(
      Wire.request("CLIENT", "REPLY", "SKIP") + Wire.request("SET", "a", "1")
        + Wire.request("GET", "a"))
    #expect(try client.readReply() == "1")
    try client.write(
      Wire.request("CLIENT", "REPLY", "OFF") + Wire.request("SET", "a", "2")
        + Wire.request("CLIENT", "LIST") + Wire.request("CLIENT", "REPLY", "ON")
        + Wire.request("GET", "a"))
    #expect(try client.readLine() == "+OK")
    #expect(try client.readReply() == "2")
    // Writes wait until the pause ends; reads do not.
    let other = try server.connect()
    #expect(try client.send("CLIENT", "PAUSE", "100000", "WRITE") == "+OK")
    try other.write(Wire.request("SET", "a", "3") + Wire.request("GET", "a"))
    #expect(try client.send("GET", "a") == "2")
    #expect(try client.send("CLIENT", "UNPAUSE") == "+OK")
    #expect(try other.readLine() == "+OK")
    #expect(try other.readReply() == "3")
    try server.end()
  }

  @Test func configurationIsRewritten() throws {
    try folder.write("# kept\nmaxmemory 64mb\nport 0\n".utf8, to: "conf")
    let server = try ServerProcess(file, [], configuration: folder.path("conf"))
    let client = try server.connect()
    #expect(
      try client.send("CONFIG", "SET", "maxmemory", "32mb", "requirepass", "a \"b\"") == "+OK")
    #expect(try client.send("CONFIG", "REWRITE") == "+OK")
    #expect(
      String(decoding: try folder.bytes(of: "conf"), as: UTF8.self)
        == "# kept\nmaxmemory 33554432\nport 0\nrequirepass \"a \\\"b\\\"\"\n")
    try server.end()
    let next = try ServerProcess(file, [], configuration: folder.path("conf"))
    #expect(try next.connect().send("AUTH", "a \"b\"") == "+OK")
    try next.end()
  }
}
