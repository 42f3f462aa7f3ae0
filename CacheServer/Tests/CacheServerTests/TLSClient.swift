#if TLS
  import CacheTestSupport
  import Foundation
  import TrialSupport

  /// Makes certificates in a folder, with the program openssl.
  struct Authority {
    private let folder: Folder
    private let name: String

    /// A root of its own.
    init(_ folder: Folder, _ name: String) throws {
      self.folder = folder
      self.name = name
      try openssl(
        ["req", "-x509", "-subj", "/CN=\(name)", "-keyout", path(name, "key"), "-out", certificate]
          + Self.newKey)
    }

    private static let newKey = [
      "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    ]

    var certificate: String { path(name, "crt") }

    private func path(_ name: String, _ kind: String) -> String { folder.path("\(name).\(kind)") }

    /// Issues a certificate for 127.0.0.1 and its key: NAME.crt and NAME.key.
    func issue(_ owner: String) throws {
      try folder.write("subjectAltName=IP:127.0.0.1\n".utf8, to: "names")
      try openssl(
        ["req", "-subj", "/CN=\(owner)", "-keyout", path(owner, "key"), "-out", path(owner, "csr")]
          + Self.newKey.filter { $0 != "-days" && $0 != "2" })
      try openssl([
        "x509", "-req", "-in", path(owner, "csr"), "-CA", certificate, "-CAkey", path(name, "key"),
        "-CAcreateserial", "-days", "2", "-extfile", folder.path("names"), "-out",
        path(owner, "crt"),
      ])
    }

    private func openssl(_ arguments: [String]) throws {
      let result = try ProgramResult.run("openssl", arguments, log: folder.path("openssl.log"))
      guard result.end == .exited(0) else { throw Unexpected(text: result.output) }
    }
  }

  /// A client that encrypts: `openssl s_client`. It gives up after a minute.
  final class TLSClient {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private var received: [UInt8] = []

    /// Whether the program is installed.
    static var isPossible: Bool {
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/openssl")
      }
    }

    init(_ port: UInt16, _ arguments: [String]) throws {
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments =
        [
          "timeout", "60", "openssl", "s_client", "-quiet", "-no_ign_eof", "-connect",
          "127.0.0.1:\(port)",
        ] + arguments
      process.standardInput = input
      process.standardOutput = output
      process.standardError = errors
      try process.run()
      try input.fileHandleForReading.close()
      try output.fileHandleForWriting.close()
      try errors.fileHandleForWriting.close()
    }

    deinit { if process.isRunning { process.terminate() } }

    func write(_ bytes: some Sequence<UInt8>) throws {
      try input.fileHandleForWriting.write(contentsOf: Data(bytes))
    }

    func send(_ words: String...) throws -> String {
      try write(Wire.request(words.map { Array($0.utf8) }))
      return try readReply()
    }

    private func fill() throws -> Bool {
      let data = output.fileHandleForReading.availableData
      received += data
      return !data.isEmpty
    }

    private func take(_ count: Int) throws -> [UInt8] {
      while received.count < count {
        guard try fill() else { throw Unexpected(text: "the connection has ended") }
      }
      defer { received.removeFirst(count) }
      return Array(received[..<count])
    }

    func readReply() throws -> String {
      while !received.contains(10) {
        guard try fill() else { throw Unexpected(text: "the connection has ended") }
      }
      let line = try take(received.firstIndex(of: 10)! + 1).dropLast(2)
      let text = String(decoding: line, as: UTF8.self)
      guard text.hasPrefix("$"), let count = Int(text.dropFirst()), count >= 0 else { return text }
      return String(decoding: try take(count + 2).dropLast(2), as: UTF8.self)
    }

    /// What comes until the server ends the connection.
    func readToEnd() throws -> [UInt8] {
      while try fill() {}
      defer { received = [] }
      return received
    }

    /// Waits for the server to end the connection.
    ///
    /// - Returns: the complaints of the client: none if the end was one of TLS.
    func end() throws -> String {
      while try fill() {}
      let text = String(
        decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      return text.split(separator: "\n").filter { $0.contains("error") }.joined(separator: "\n")
    }

    /// Whether the connection ends without a reply to PING.
    func isRefused() throws -> Bool {
      try? write("PING\r\n".utf8)
      while try fill() {}
      return received.isEmpty
    }
  }
#endif
