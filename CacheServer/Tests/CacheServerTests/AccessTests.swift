import CacheTestSupport
import Foundation
import SystemPackage
import Testing
import TrialSupport

/// Who may do what: passwords, protected mode, UNIX sockets, and requests of web pages.
@Suite struct AccessTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  /// A web page can have a browser send any body to any port. Its first line, or the next, gives it away.
  @Test(arguments: ["POST / HTTP/1.1\r\n", "post\r\n", "GET / HTTP/1.1\r\nHost: here\r\n"])
  func requestsOfWebPages(_ head: String) throws {
    let server = try ServerProcess(file)
    let page = try server.connect()
    try page.write((head + "Accept: */*\r\n\r\nSET pwned 1\r\n").utf8)
    while try !page.isAtEnd() { _ = try page.readLine() }
    #expect(try server.connect().send("EXISTS", "pwned") == ":0")
    // A value may have such words in it.
    #expect(try server.connect().send("SET", "POST", "Host:") == "+OK")
    try server.end()
  }

  @Test func passwords() throws {
    let server = try ServerProcess(file, ["--requirepass", "secret"])
    let client = try server.connect()
    #expect(try client.send("GET", "a") == "-NOAUTH Authentication required.")
    #expect(try client.send("INFO") == "-NOAUTH Authentication required.")
    #expect(try client.send("CONFIG", "GET", "requirepass") == "-NOAUTH Authentication required.")
    #expect(try client.send("AUTH", "secre").hasPrefix("-WRONGPASS"))
    #expect(try client.send("AUTH", "secret1").hasPrefix("-WRONGPASS"))
    #expect(try client.send("AUTH", "").hasPrefix("-WRONGPASS"))
    #expect(try client.send("AUTH", "other", "secret").hasPrefix("-WRONGPASS"))
    #expect(try client.send("HELLO", "3").hasPrefix("-NOAUTH HELLO must be called"))
    #expect(try client.send("HELLO", "3", "AUTH", "default", "wrong").hasPrefix("-WRONGPASS"))
    #expect(try client.send("GET", "a").hasPrefix("-NOAUTH"))
    #expect(try client.send("AUTH", "default", "secret") == "+OK")
    #expect(try client.send("SET", "a", "1") == "+OK")
    let other = try server.connect()
    try other.write(Wire.request("HELLO", "2", "AUTH", "default", "secret"))
    while try other.readLine() != "*0" {}
    #expect(try other.send("GET", "a") == "1")
    #expect(try other.send("RESET") == "+RESET")
    #expect(try other.send("GET", "a").hasPrefix("-NOAUTH"))
    // A stranger takes no memory.
    let stranger = try server.connect()
    try stranger.write("*11\r\n".utf8)
    #expect(try stranger.readLine() == "-ERR Protocol error: unauthenticated multibulk length")
    #expect(try stranger.isAtEnd())
    let long = try server.connect()
    try long.write("*2\r\n$4\r\nAUTH\r\n$16385\r\n".utf8)
    #expect(try long.readLine() == "-ERR Protocol error: unauthenticated bulk length")
    #expect(try long.isAtEnd())
    // Both stay what they are over an upgrade, and so does the password.
    let before = try server.connect()
    #expect(try before.send("PING").hasPrefix("-NOAUTH"))
    #expect(try client.send("CONFIG", "SET", "requirepass", "changed") == "+OK")
    #expect(try client.send("UPGRADE") == "+OK")
    try server.awaitReady()
    #expect(try client.send("GET", "a") == "1")
    #expect(try before.send("GET", "a").hasPrefix("-NOAUTH"))
    #expect(try before.send("AUTH", "secret").hasPrefix("-WRONGPASS"))
    #expect(try before.send("AUTH", "changed") == "+OK")
    try server.end()
  }

  /// Without a password, a server that listens at all addresses serves only its own machine.
  @Test func protectedMode() throws {
    let server = try ServerProcess(file, ["--bind", "0.0.0.0"])
    let client = try server.connect()
    #expect(try client.send("SET", "a", "1") == "+OK")
    guard let outside = try? Connection(outsidePort: server.port) else {
      // The machine has no other address.
      try server.end()
      return
    }
    let refused = Client(outside)
    #expect(try refused.readLine().hasPrefix("-DENIED this server has no password"))
    #expect(try refused.isAtEnd())
    #expect(try client.send("CONFIG", "SET", "requirepass", "x") == "+OK")
    let known = Client(try Connection(outsidePort: server.port))
    #expect(try known.send("GET", "a").hasPrefix("-NOAUTH"))
    #expect(try known.send("AUTH", "x") == "+OK")
    #expect(try known.send("GET", "a") == "1")
    #expect(
      try client.send("CONFIG", "SET", "requirepass", "", "protected-mode", "no") == "+OK")
    #expect(try Client(Connection(outsidePort: server.port)).send("GET", "a") == "1")
    try server.end()
  }

  @Test func unixSocket() throws {
    let path = folder.path("socket")
    let server = try ServerProcess(file, ["--unixsocket", path, "--unixsocketperm", "700"])
    func mode() throws -> Int {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
    }
    #expect(try mode() == 0o700)
    let client = Client(try Connection(path: path))
    #expect(try client.send("SET", "a", "1") == "+OK")
    #expect(try server.connect().send("GET", "a") == "1")
    #expect(try client.send("CLIENT", "LIST").contains("laddr=\(path):0"))
    #expect(try client.parameter("unixsocket") == path)
    // Connections and the socket itself go over to a successor.
    #expect(try client.send("UPGRADE") == "+OK")
    try server.awaitReady()
    #expect(try client.send("GET", "a") == "1")
    #expect(try Client(Connection(path: path)).send("GET", "a") == "1")
    try server.crash()
    // What a killed server has left is replaced; a file that is not a socket, and a socket in use, are not.
    #expect(FileManager.default.fileExists(atPath: path))
    let next = try ServerProcess(file, ["--unixsocket", path])
    #expect(try Client(Connection(path: path)).send("GET", "a") == "1")
    let second = try EndedRun(
      "--port", "0", "--memory-file", folder.path("other"), "--unixsocket", path)
    #expect(
      second.errors == "cache-server: \(path) cannot be listened at: Address already in use\n")
    #expect(try Client(Connection(path: path)).send("GET", "a") == "1")
    try next.end()
    #expect(!FileManager.default.fileExists(atPath: path))
    try folder.write("text".utf8, to: "socket")
    let third = try EndedRun("--port", "0", "--memory-file", file, "--unixsocket", path)
    #expect(third.status == 1 && third.errors.contains("not a socket"))
    #expect(try folder.bytes(of: "socket") == Data("text".utf8))
  }
}
