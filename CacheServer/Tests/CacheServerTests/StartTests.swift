import CacheTestSupport
import Foundation
import KexecHandover
import SystemPackage
import Testing
import TrialSupport

@Suite struct StartTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  @Test func startAndEnd() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    #expect(try client.send("SET", "a", "1") == "+OK")
    #expect(try client.send("GET", "a") == "1")
    #expect(try client.info("started_by") == "created")
    #expect(try client.parameter("port") == "\(server.port)")
    #expect(try server.end() == 0)
    #expect(try client.isAtEnd())
    // A second run finds what the first has left.
    let second = try ServerProcess(file)
    let other = try second.connect()
    #expect(try other.send("GET", "a") == "1")
    #expect(try other.info("started_by") == "adopted")
    #expect(try other.info("crash_restarts") == "0")
    try other.write(Wire.request("SHUTDOWN"))
    #expect(try other.isAtEnd())
    #expect(try second.awaitEnd() == 0)
  }

  @Test func protocolErrorsAndQuit() throws {
    let server = try ServerProcess(file)
    let client = try server.connect()
    try client.write(Array("PING\r\n*1\r\n$x\r\nPING\r\n".utf8))
    #expect(try client.readLine() == "+PONG")
    #expect(try client.readLine() == "-ERR Protocol error: invalid bulk length")
    #expect(try client.isAtEnd())
    let other = try server.connect()
    try other.write(Array("QUIT\r\nPING\r\n".utf8))
    #expect(try other.readLine() == "+OK")
    #expect(try other.isAtEnd())
    // A name, a list of who is there, and an end by another process.
    let named = try server.connect()
    let killer = try server.connect()
    #expect(try named.send("CLIENT", "SETNAME", "me") == "+OK")
    #expect(try named.send("CLIENT", "GETNAME") == "me")
    let id = String(try named.send("CLIENT", "ID").dropFirst())
    #expect(try killer.send("CLIENT", "LIST").contains("name=me"))
    #expect(try killer.send("CLIENT", "KILL", "ID", id) == ":1")
    #expect(try named.isAtEnd())
    #expect(try server.end() == 0)
  }

  /// The server refuses and counts connections beyond its limit on descriptors. The others stay connected.
  @Test func manyClients() throws {
    let limited = try folder.writeScript(
      "ulimit -n 64\nexec \(builtProgram("cache-server")) \"$@\"", to: "limited")
    let server = try ServerProcess(file, program: limited)
    let first = try server.connect()
    let limit = try #require(try Int(first.parameter("maxclients") ?? ""))
    #expect(limit == 32)
    let others = try (1..<limit).map { _ in try server.connect() }
    for other in others { #expect(try other.send("PING") == "+PONG") }
    for count in 1...3 {
      let refused = try server.connect()
      #expect(try refused.readLine() == "-ERR max number of clients reached")
      #expect(try refused.isAtEnd())
      #expect(try first.info("rejected_connections") == "\(count)")
    }
    #expect(try server.end() == 0)
  }

  @Test func secondServer() throws {
    let server = try ServerProcess(file)
    let run = try EndedRun("--port", "0", "--memory-file", file)
    #expect(run.status == 1)
    #expect(
      run.errors
        == "cache-server: \(file): process \(server.processID) (cache-server) has the memory\n")
    // The one that serves has noticed nothing.
    #expect(try server.connect().send("SET", "a", "1") == "+OK")
    // A port that is taken.
    let other = folder.path("other")
    let taken = try EndedRun("--port", "\(server.port)", "--memory-file", other)
    #expect(taken.status == 1)
    #expect(
      taken.errors
        == "cache-server: 127.0.0.1:\(server.port) cannot be listened at: Address already in use\n")
    // It has made no file.
    #expect(!FileManager.default.fileExists(atPath: other))
    #expect(try server.end() == 0)
  }

  @Test func wrongCommandLine() throws {
    for arguments in [
      ["--what", "1"], ["--port", "x"], ["--memory-file", ""], ["--memory-file", "memfd:"],
      ["--maxmemory", "many"], ["--maxmemory-policy", "lru"], ["--capacity", "1"], ["--port"],
    ] {
      let run = try EndedRun(arguments)
      #expect(run.status == 2, "\(arguments)")
      #expect(!run.errors.isEmpty, "\(arguments)")
    }
  }

  /// Files of other programs, and damaged ones: a sentence, status 1, and the file is unchanged.
  @Test func refusedFiles() throws {
    func expectRefused(_ name: String, _ sentence: String, isUnchanged: Bool = true) throws {
      let before = try folder.bytes(of: name)
      let run = try EndedRun("--port", "0", "--memory-file", folder.path(name))
      #expect(run.status == 1, "\(name)")
      #expect(
        run.errors.hasPrefix("cache-server: \(folder.path(name)): \(sentence)"),
        "\(name): \(run.errors)")
      #expect(run.errors.count { $0 == "\n" } == 1 && run.errors.hasSuffix("\n"))
      if isUnchanged { #expect(try folder.bytes(of: name) == before, "\(name)") }
    }
    let server = try ServerProcess(file)
    #expect(try server.connect().send("SET", "a", "1", "EX", "1000") == "+OK")
    #expect(try server.end() == 0)
    let bytes = try folder.bytes(of: "memory")

    var generator = SplitMix(seed: 1)
    try folder.write([], to: "empty")
    try expectRefused("empty", "the file is empty")
    try folder.write("A text\n".utf8, to: "text")
    try expectRefused("text", "its 7 bytes are too few for the superblock of a memory file")
    try folder.write(generator.bytes(100_000), to: "random")
    try expectRefused("random", "it is not a memory file")
    try folder.write(bytes[..<(1 << 20)], to: "short")
    try expectRefused("short", "a part is missing")
    var damaged = bytes
    damaged[512 + 3] ^= 1
    damaged[1024 + 3] ^= 1
    try folder.write(damaged, to: "damaged")
    try expectRefused(
      "damaged", "the state in its superblock is damaged: the check value does not fit")
    var changed = bytes
    changed[24] ^= 1
    try folder.write(changed, to: "changed")
    try expectRefused(
      "changed", "the header of its superblock is damaged: the check value does not fit")

    // Memory of another program, and of another version of this one. Opening it is noted in it.
    do {
      var memory = try PreservedMemory.open(FilePath(folder.path("else")))
      _ = try memory.makeRegion(named: "table", byteCount: 4096)
    }
    try expectRefused(
      "else", "it is the memory of another program, with table in it", isUnchanged: false)
    for (region, sentence) in [
      ("cache-server", "another version of this server has made it, with layout 7"),
      ("cache", "its map cannot be used: the collection is of layout 7"),
    ] {
      try folder.write(bytes, to: region)
      var layout: UInt64 = 0
      do {
        var memory = try PreservedMemory.open(FilePath(folder.path(region)))
        let range = try #require(try memory.region(named: region))
        memory.withWords(of: range) {
          layout = $0.load(1)
          $0.publish(7, at: 1)
        }
      }
      try expectRefused(region, sentence, isUnchanged: false)
      // What it held is still there for the version that knows it.
      var memory = try PreservedMemory.open(FilePath(folder.path(region)))
      let range = try #require(try memory.region(named: region))
      memory.withWords(of: range) { $0.publish(layout, at: 1) }
    }
    for region in ["cache-server", "cache"] {
      let server = try ServerProcess(folder.path(region))
      #expect(try server.connect().send("GET", "a") == "1")
      #expect(try server.connect().send("TTL", "a") != ":-1")
      #expect(try server.end() == 0)
    }
    let missing = try EndedRun("--port", "0", "--memory-file", folder.path("no/such"))
    #expect(missing.status == 1 && missing.errors.contains(folder.path("no/such")))
  }
}
