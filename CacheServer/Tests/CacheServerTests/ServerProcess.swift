import Foundation
import KexecHandover
import Testing

/// The executables, which SwiftPM puts beside the tests.
func builtProgram(_ name: String) -> String {
  URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appending(path: name).path
}

/// A server and its successors: they share the standard error that is read here.
final class ServerProcess {
  private let process = Process()
  private let errors = Pipe()
  private(set) var port: UInt16 = 0
  /// The ports of other protocols; 0 for none.
  private(set) var memcachedPort: UInt16 = 0
  private(set) var metricsPort: UInt16 = 0
  private(set) var tlsPort: UInt16 = 0
  /// The process that serves.
  private(set) var processID: Int32 = 0

  /// Starts a server that serves from `file`, and waits until it does, or until it stands by.
  init(
    _ file: String, _ arguments: [String] = [], program: String = builtProgram("cache-server"),
    environment: [String: String] = [:], configuration: String? = nil, port: UInt16 = 0,
    standsBy: Bool = false
  ) throws {
    process.executableURL = URL(filePath: program)
    process.arguments =
      (configuration.map { [$0] } ?? []) + ["--port", "\(port)", "--memory-file", file]
      + (standsBy ? ["--standby", "yes"] : []) + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    try errors.fileHandleForWriting.close()
    if standsBy {
      let line = try awaitLine("standing by for \(file)")
      processID = Int32(line.split(separator: " ").last ?? "") ?? 0
    } else {
      try awaitReady()
    }
  }

  func connect() throws -> Client { try Client(port: port) }

  /// The next line of what it logs; nil when all of its processes have ended.
  func readLine() throws -> String? {
    var line: [UInt8] = []
    while let byte = try errors.fileHandleForReading.read(upToCount: 1)?.first {
      guard byte != 10 else { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }

  /// Reads until a line holds `text`.
  @discardableResult
  func awaitLine(_ text: String) throws -> String {
    var lines: [String] = []
    while let line = try readLine() {
      if line.contains(text) { return line }
      lines.append(line)
    }
    throw Unexpected(text: "\(text) was never logged, but: \(lines)")
  }

  /// Waits until it or its successor serves.
  func awaitReady() throws {
    try noteReady(try awaitLine("ready to accept connections"))
  }

  /// Waits until the successor serves and this process has ended, which they log in any order.
  func awaitExchange() throws {
    var isReady = false
    var hasEnded = false
    while !isReady || !hasEnded {
      guard let line = try readLine() else { throw Unexpected(text: "all processes have ended") }
      if line.contains("ready to accept connections") {
        try noteReady(line)
        isReady = true
      }
      hasEnded = hasEnded || line.contains("everything is handed over; ending")
    }
  }

  private func noteReady(_ line: String) throws {
    let words = line.split(whereSeparator: { " ,".contains($0) }).map(String.init)
    guard let portWord = words.firstIndex(of: "port"), let number = UInt16(words[portWord + 1]),
      let processWord = words.firstIndex(of: "pid"), let id = Int32(words[processWord + 1])
    else { throw Unexpected(text: line) }
    port = number
    processID = id
    for (index, word) in words.enumerated() where word == "port" && index > 0 {
      let found = UInt16(words[index + 1]) ?? 0
      if words[index - 1] == "memcached" { memcachedPort = found }
      if words[index - 1] == "TLS" { tlsPort = found }
      if words[index - 1] == "metrics" { metricsPort = found }
    }
  }

  /// The targets of the open descriptors of the process that serves, as /proc/PID/fd names them.
  func descriptors() throws -> [String] {
    let path = "/proc/\(processID)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: path).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/\($0)")
    }
  }

  /// How many sockets the process that serves has open.
  func socketCount() throws -> Int { try descriptors().count { $0.hasPrefix("socket:") } }

  func signal(_ number: Int32) { kill(processID, number) }

  /// kill -9, and everything that is left of it.
  func crash() throws {
    signal(SIGKILL)
    while try readLine() != nil {}
    if processID == process.processIdentifier { process.waitUntilExit() }
  }

  /// Ends it in good order; gives its exit status, where it is the process that was started.
  @discardableResult
  func end() throws -> Int32? {
    signal(SIGTERM)
    return try awaitEnd()
  }

  func awaitEnd() throws -> Int32? {
    while try readLine() != nil {}
    guard processID == process.processIdentifier else { return nil }
    process.waitUntilExit()
    return process.terminationStatus
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    if processID > 0, processID != process.processIdentifier { kill(processID, SIGKILL) }
  }
}

struct Unexpected: Error {
  let text: String
}

/// A run that ends by itself.
struct EndedRun {
  let status: Int32
  let errors: String

  init(_ arguments: String...) throws { try self.init(arguments) }

  init(_ arguments: [String]) throws {
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(filePath: builtProgram("cache-server"))
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    try errors.fileHandleForWriting.close()
    self.errors = String(
      decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }
}
