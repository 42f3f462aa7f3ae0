import Foundation
import Measuring

/// Redis, as a server of its own over a UNIX socket. In its favour, a message has a thousand commands.
///
/// For the restart, it loads the file that SAVE wrote.
final class RedisPeer: Peer {
  static let name = "Redis"
  static var reasonForAbsence: String? {
    program == nil ? "redis-server is not installed (redis-server)" : nil
  }

  private static let program: String? = {
    let places: [String] = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"]
    return places.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  private let server: Process
  private let descriptor: CInt
  private var pending: [UInt8] = []
  private var pendingCount = 0
  private var input: [UInt8] = []
  private var inputIndex = 0

  init(path: String, isNew: Bool) throws {
    guard let program = Self.program else { throw PeerFailure(reason: "Redis is not installed") }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    server = Process()
    server.executableURL = URL(filePath: program)
    server.arguments = [
      "--port", "0", "--unixsocket", path + "/socket", "--dir", path, "--save", "",
      "--appendonly", "no", "--daemonize", "no",
    ]
    server.standardOutput = FileHandle.nullDevice
    try server.run()
    descriptor = try Self.connected(to: path + "/socket", server)
  }

  private static func connected(to path: String, _ server: Process) throws -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(100)) }
    while server.isRunning {
      let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
      let isConnected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
      }
      if isConnected { return descriptor }
      close(descriptor)
      usleep(200)
    }
    throw PeerFailure(reason: "redis-server ended before it listened at \(path)")
  }

  deinit { stop() }

  /// Ends the server as kill -9 does.
  func stop() {
    close(descriptor)
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
  }

  func put(_ key: UInt64, _ value: UInt64) throws {
    append([Array("SET".utf8), bytes(key.bigEndian), bytes(value)])
    if pendingCount == 1000 { try commit() }
  }

  func commit() throws {
    let count = pendingCount
    try send()
    for _ in 0..<count {
      guard try line().first == UInt8(ascii: "+") else {
        throw PeerFailure(reason: "Redis refused SET")
      }
    }
  }

  func get(_ key: UInt64) throws -> UInt64? {
    append([Array("GET".utf8), bytes(key.bigEndian)])
    try send()
    return try value()
  }

  func compare(_ numbers: [UInt64]) throws {
    for start in stride(from: 0, to: numbers.count, by: 1000) {
      let some = numbers[start..<min(start + 1000, numbers.count)]
      for number in some { append([Array("GET".utf8), bytes(key(number).bigEndian)]) }
      try send()
      for number in some {
        guard try value() == number else {
          throw PeerFailure(reason: "Redis: entry \(number) is missing")
        }
      }
    }
  }

  func scan() throws -> UInt64 {
    var cursor = "0"
    var count: UInt64 = 0
    repeat {
      append([Array("SCAN".utf8), Array(cursor.utf8), Array("COUNT".utf8), Array("1000".utf8)])
      try send()
      _ = try line()
      cursor = String(decoding: try bulk() ?? [], as: UTF8.self)
      let keys = Int(String(decoding: try line().dropFirst(), as: UTF8.self)) ?? 0
      for _ in 0..<keys { _ = try bulk() }
      count += UInt64(keys)
    } while cursor != "0"
    return count
  }

  /// The processor time of the server, from /proc/PID/stat, proc(5).
  func outsideTime() -> Double {
    let path = "/proc/\(server.processIdentifier)/stat"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return 0 }
    let fields = text[end...].split(separator: " ")
    let ticks = fields.count > 13 ? (Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0) : 0
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK))) * 1e9
  }

  func byteCount() -> UInt64? {
    append([Array("INFO".utf8), Array("memory".utf8)])
    guard (try? send()) != nil, let text = try? bulk() else { return nil }
    let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
    return lines.first { $0.hasPrefix("used_memory:") }.flatMap { UInt64($0.dropFirst(12)) }
  }

  /// Writes the file that the next start loads.
  func save() throws {
    append([Array("SAVE".utf8)])
    try send()
    guard try line().first == UInt8(ascii: "+") else {
      throw PeerFailure(reason: "Redis refused SAVE")
    }
  }

  /// The value, once the server has loaded its file.
  func firstValue(_ key: UInt64) throws -> UInt64? {
    while true {
      append([Array("GET".utf8), bytes(key.bigEndian)])
      try send()
      let line = try line()
      if line.first == UInt8(ascii: "-") {
        usleep(200)
        continue
      }
      return try value(after: line)
    }
  }

  // MARK: The protocol

  private func bytes(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

  private func append(_ words: [[UInt8]]) {
    pending += "*\(words.count)\r\n".utf8
    for word in words {
      pending += "$\(word.count)\r\n".utf8
      pending += word
      pending += "\r\n".utf8
    }
    pendingCount += 1
  }

  private func send() throws {
    var sent = 0
    while sent < pending.count {
      let count = pending[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
      guard count > 0 else { throw PeerFailure(reason: "write: \(errno)") }
      sent += count
    }
    pending.removeAll(keepingCapacity: true)
    pendingCount = 0
  }

  private func byte() throws -> UInt8 {
    if inputIndex == input.count {
      input = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        count = max(read(descriptor, buffer.baseAddress!, buffer.count), 0)
        guard count > 0 else { throw PeerFailure(reason: "read: \(errno)") }
      }
      inputIndex = 0
    }
    inputIndex += 1
    return input[inputIndex - 1]
  }

  private func line() throws -> [UInt8] {
    var line: [UInt8] = []
    while true {
      let next = try byte()
      if next == UInt8(ascii: "\n") { return line }
      if next != UInt8(ascii: "\r") { line.append(next) }
    }
  }

  private func bulk(after line: [UInt8]? = nil) throws -> [UInt8]? {
    let line = try line ?? self.line()
    guard line.first == UInt8(ascii: "$"),
      let count = Int(String(decoding: line.dropFirst(), as: UTF8.self))
    else { throw PeerFailure(reason: "Redis answered \(String(decoding: line, as: UTF8.self))") }
    guard count >= 0 else { return nil }
    var found: [UInt8] = []
    for _ in 0..<count { found.append(try byte()) }
    for _ in 0..<2 { _ = try byte() }
    return found
  }

  private func value(after line: [UInt8]? = nil) throws -> UInt64? {
    try bulk(after: line)?.withUnsafeBytes {
      $0.count == 8 ? $0.loadUnaligned(as: UInt64.self) : nil
    }
  }
}
