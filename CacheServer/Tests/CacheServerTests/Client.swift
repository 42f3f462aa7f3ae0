import CacheTestSupport
import TrialSupport

/// A connection to a server. Whatever waits for half a minute has failed.
final class Client {
  private static let patience = 30_000
  private let connection: Connection

  init(port: UInt16) throws { connection = try Connection(port: port) }

  init(_ connection: Connection) { self.connection = connection }

  func write(_ bytes: some Sequence<UInt8>) throws {
    connection.enqueue(Array(bytes))
    try connection.flush()
    while connection.hasOutput {
      try connection.wait(milliseconds: Self.patience)
      try connection.flush()
    }
  }

  /// The next `count` bytes; fewer only at the end of the connection.
  func read(_ count: Int) throws -> [UInt8] {
    while connection.received.count < count, try fill() {}
    return connection.take(min(count, connection.received.count))
  }

  /// Whether the server has closed the connection, after it has said nothing more.
  func isAtEnd() throws -> Bool { try connection.received.isEmpty && !fill() }

  /// The next line, without its end.
  func readLine() throws -> String {
    while true {
      let received = connection.received
      if let end = received.firstIndex(of: 0x0a) {
        let line = connection.take(end + 1 - received.startIndex).dropLast()
        return String(decoding: line.last == 0x0d ? line.dropLast() : line, as: UTF8.self)
      }
      guard try fill() else { throw ConnectionError.closed }
    }
  }

  /// The reply to a request: a line, or the string behind it.
  func send(_ words: String...) throws -> String {
    try write(Wire.request(words.map { Array($0.utf8) }))
    return try readReply()
  }

  func readReply() throws -> String {
    let line = try readLine()
    guard line.hasPrefix("$"), let count = Int(line.dropFirst()), count >= 0 else { return line }
    return String(decoding: try read(count + 2).dropLast(2), as: UTF8.self)
  }

  /// The value that `INFO` reports under a name.
  func info(_ name: String) throws -> String? {
    try send("INFO").split(separator: "\r\n").first { $0.hasPrefix(name + ":") }
      .map { String($0.dropFirst(name.count + 1)) }
  }

  /// The value that `CONFIG GET` reports for a name, or `nil` for an unknown name.
  func parameter(_ name: String) throws -> String? {
    guard try send("CONFIG", "GET", name) == "*2" else { return nil }
    _ = try readReply()
    return try readReply()
  }

  /// Waits for more; false at the end of the connection.
  private func fill() throws -> Bool {
    do throws(ConnectionError) {
      while try !connection.fill() { try connection.wait(milliseconds: Self.patience) }
    } catch {
      guard error == .closed else { throw error }
      return false
    }
    return true
  }
}
