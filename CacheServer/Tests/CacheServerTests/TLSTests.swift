#if TLS
  import CacheTestSupport
  import Foundation
  import Testing
  import TrialSupport

  /// Clients that encrypt, with `openssl s_client` and `redis-cli` on the other side.
  @Suite(.enabled(if: TLSClient.isPossible, "openssl is not installed"))
  struct TLSTests {
    private let folder: Folder
    private let authority: Authority
    private var file: String { folder.path("memory") }

    init() throws {
      folder = try Folder()
      authority = try Authority(folder, "authority")
      try authority.issue("server")
      try authority.issue("client")
    }

    private func arguments(_ clients: String) -> [String] {
      [
        "--tls-port", "0", "--tls-cert-file", folder.path("server.crt"), "--tls-key-file",
        folder.path("server.key"), "--tls-ca-cert-file", folder.path("authority.crt"),
        "--tls-auth-clients", clients,
      ]
    }

    private func connect(_ server: ServerProcess, _ arguments: [String] = []) throws -> TLSClient {
      try TLSClient(
        server.tlsPort,
        ["-CAfile", folder.path("authority.crt"), "-verify_return_error"] + arguments)
    }

    private func certificate(_ name: String) -> [String] {
      ["-cert", folder.path("\(name).crt"), "-key", folder.path("\(name).key")]
    }

    /// One memory behind both ports; requests in pieces, in batches, and larger than a record of TLS.
    @Test func requests() throws {
      let server = try ServerProcess(file, arguments("no"))
      let client = try connect(server)
      #expect(try client.send("SET", "a", "1") == "+OK")
      #expect(try server.connect().send("GET", "a") == "1")
      let value = String(repeating: "0123456789", count: 100_000)
      #expect(try client.send("SET", "large", value) == "+OK")
      #expect(try client.send("GET", "large") == value)
      try client.write("*1\r\n$4\r\nPI".utf8)
      try client.write("NG\r\nPING\r\nGET a\r\n".utf8)
      #expect(try client.readReply() == "+PONG")
      #expect(try client.readReply() == "+PONG")
      #expect(try client.readReply() == "1")
      #expect(try server.connect().parameter("tls-port") == "\(server.tlsPort)")
      #expect(try server.connect().parameter("tls-auth-clients") == "no")
      // The end is one of TLS: with close_notify.
      #expect(try client.send("QUIT") == "+OK")
      #expect(try client.end() == "")
      try server.end()
    }

    /// Passwords hold inside TLS as well.
    @Test func passwords() throws {
      let server = try ServerProcess(file, arguments("no") + ["--requirepass", "secret"])
      let client = try connect(server)
      #expect(try client.send("GET", "a").hasPrefix("-NOAUTH"))
      #expect(try client.send("AUTH", "secret") == "+OK")
      #expect(try client.send("SET", "a", "1") == "+OK")
      try server.end()
    }

    @Test func certificatesOfClients() throws {
      let other = try Authority(folder, "stranger")
      try other.issue("forged")
      for mode in ["yes", "optional"] {
        let server = try ServerProcess(file, arguments(mode))
        let client = try connect(server, certificate("client"))
        #expect(try client.send("PING") == "+PONG", "\(mode)")
        #expect(try connect(server, certificate("forged")).isRefused(), "\(mode)")
        let nameless = try connect(server)
        if mode == "yes" {
          #expect(try nameless.isRefused())
        } else {
          #expect(try nameless.send("PING") == "+PONG")
        }
        #expect(try client.send("PING") == "+PONG", "\(mode)")
        try server.end()
      }
    }

    /// A client that does not trust the server's certificate leaves; the server goes on.
    @Test func distrust() throws {
      let other = try Authority(folder, "stranger")
      let server = try ServerProcess(file, arguments("no"))
      let client = try TLSClient(
        server.tlsPort, ["-CAfile", other.certificate, "-verify_return_error"])
      #expect(try client.isRefused())
      #expect(try connect(server).send("PING") == "+PONG")
      try server.end()
    }

    /// The server carries out neither plain requests at the TLS port nor requests inside TLS at the other port.
    @Test func wrongPort() throws {
      let server = try ServerProcess(file, arguments("no"))
      let plain = try Client(port: server.tlsPort)
      try plain.write(Wire.request("SET", "a", "1"))
      while try !plain.isAtEnd() { _ = try plain.read(1) }
      #expect(try server.connect().send("EXISTS", "a") == ":0")
      let client = try TLSClient(server.port, [])
      #expect(try client.isRefused())
      // A client that begins a handshake and leaves, in every place of a small one.
      for count in 1...12 {
        let quitter = try Client(port: server.tlsPort)
        try quitter.write([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 7].prefix(count))
      }
      #expect(try connect(server).send("PING") == "+PONG")
      try server.end()
    }

    @Test func redisClient() throws {
      guard let help = try? ProgramResult.run("redis-cli", ["--help"], log: folder.path("help")),
        help.output.contains("--tls")
      else { return }
      let server = try ServerProcess(file, arguments("yes"))
      let result = try ProgramResult.run(
        "redis-cli",
        [
          "--tls", "-p", "\(server.tlsPort)", "--cacert", folder.path("authority.crt"), "--cert",
          folder.path("client.crt"), "--key", folder.path("client.key"), "SET", "a", "1",
        ], log: folder.path("log"))
      #expect(result.output.contains("OK"))
      try server.end()
    }

    /// At an upgrade, TLS connections end with close_notify, after the replies to what was carried out. Plain ones stay.
    @Test func upgrade() throws {
      let server = try ServerProcess(file, arguments("no"))
      let plain = try server.connect()
      let client = try connect(server)
      let asking = try connect(server)
      let value = String(repeating: "x", count: 1 << 20)
      #expect(try client.send("SET", "a", value) == "+OK")
      // Replies that wait to be read while the upgrade happens.
      try client.write("GET a\r\nGET a\r\nGET a\r\nGET a\r\n".utf8)
      #expect(try client.readReply() == value)
      #expect(try asking.send("UPGRADE") == "+OK")
      try server.awaitReady()
      #expect(try asking.end() == "")
      // Each command was carried out, and its reply came whole, or not.
      let rest = try client.readToEnd()
      let reply = Wire.bulk(Array(value.utf8))
      #expect(rest == Array(repeatElement(reply, count: rest.count / reply.count).joined()))
      #expect(try client.end() == "")
      #expect(try plain.send("STRLEN", "a") == ":\(value.utf8.count)")
      #expect(try plain.info("upgrades") == "1")
      // The port stays, and so does the certificate.
      #expect(try connect(server).send("STRLEN", "a") == ":\(value.utf8.count)")
      try server.end()
    }

    /// A successor that cannot read the certificate does not get the memory, and SIGHUP keeps the old one.
    @Test func certificateIsReplaced() throws {
      let server = try ServerProcess(file, arguments("no"))
      let client = try connect(server)
      let good = try folder.bytes(of: "server.crt")
      try folder.write("nonsense".utf8, to: "server.crt")
      #expect(try client.send("UPGRADE").hasPrefix("-ERR upgrade failed"))
      #expect(try client.send("PING") == "+PONG")
      server.signal(SIGHUP)
      try server.awaitLine("the certificate stays as it was")
      #expect(try connect(server).send("PING") == "+PONG")
      // Another certificate, with another key.
      try folder.write(good, to: "server.crt")
      try authority.issue("server")
      server.signal(SIGHUP)
      try server.awaitLine("the certificate was read again")
      #expect(try connect(server).send("PING") == "+PONG")
      #expect(try client.send("PING") == "+PONG")
      try server.end()
    }

    @Test func wrongOptions() throws {
      func errors(_ arguments: [String]) throws -> String {
        let run = try EndedRun(["--port", "none", "--memory-file", file] + arguments)
        #expect(run.status != 0)
        #expect(!FileManager.default.fileExists(atPath: file))
        return run.errors
      }
      #expect(try errors(["--tls-port", "0"]).contains("tls-cert-file and tls-key-file"))
      let files = Array(arguments("yes").prefix(6))
      #expect(try errors(files).contains("tls-ca-cert-file"))
      var missing = arguments("no")
      missing[3] = folder.path("nowhere")
      #expect(try errors(missing).contains("cannot be read"))
      try Authority(folder, "stranger").issue("other")
      var foreign = arguments("no")
      foreign[5] = folder.path("other.key")
      #expect(try errors(foreign).contains("cannot be used together"))
    }
  }
#else
  import CacheTestSupport
  import Testing

  @Suite struct TLSTests {
    /// A program without TLS says how to build one that has it.
    @Test func isNotBuiltIn() throws {
      let folder = try Folder()
      let run = try EndedRun(
        "--tls-port", "0", "--tls-cert-file", "a", "--tls-key-file", "b", "--tls-auth-clients",
        "no", "--memory-file", folder.path("memory"))
      #expect(run.status == 2 && run.errors.contains("--traits TLS"))
    }
  }
#endif
