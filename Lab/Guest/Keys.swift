import Platform
import SystemPackage

// A client of the cache server and of servers to compare it with. The number of a key determines its value, so the
// client knows what to expect.

/// Sets keys, and prints how many of them the server acknowledged.
func writeKeys(_ server: KeyServer, _ numbers: Range<Int>) throws {
  var client = try KeyClient(server)
  var acknowledged = 0
  for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 200) {
    let batch = start..<min(start + 200, numbers.upperBound)
    acknowledged += try client.set(batch.map { ("key:\($0)", value(of: $0)) })
  }
  print("acknowledged \(acknowledged)")
}

/// Reads keys, and prints how many of them have the right value.
func checkKeys(_ server: KeyServer, _ numbers: Range<Int>) throws {
  var client = try KeyClient(server)
  _ = try client.get(["key:\(numbers.lowerBound)"])
  print("answered at \(try uptime())")
  var right = 0
  for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 200) {
    let batch = start..<min(start + 200, numbers.upperBound)
    let values = try client.get(batch.map { "key:\($0)" })
    for (number, found) in zip(batch, values) where found == value(of: number) { right += 1 }
  }
  print("right \(right) of \(numbers.count), \(try client.size())")
}

/// Asks for one key until the server answers, and prints when it first did.
///
/// A server that does not exist yet, or that is loading, does not answer. That a key is not there is an answer.
func awaitFirstAnswer(_ server: KeyServer, _ number: Int) throws {
  while true {
    do {
      var client = try KeyClient(server)
      defer { client.close() }
      let found = try client.get(["key:\(number)"])[0]
      let what = found == value(of: number) ? "right" : found == nil ? "missing" : "wrong"
      print("first answer at \(try uptime()): \(what)")
      return
    } catch {
      usleep(10_000)
    }
  }
}

/// The value of a key, of 24 to 119 bytes.
private func value(of number: Int) -> String {
  var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
  state ^= state &>> 29
  let text = String(state, radix: 16)
  return String(repeating: text + "-", count: 2 + number % 6)
}

/// Where a server is, and what it speaks.
struct KeyServer {
  let path: FilePath
  let speaksMemcached: Bool

  /// A socket's path, behind `memcached:` for a server that speaks its text protocol and not Redis's.
  init(_ text: String) {
    let prefix = "memcached:"
    speaksMemcached = text.hasPrefix(prefix)
    path = FilePath(speaksMemcached ? String(text.dropFirst(prefix.count)) : text)
  }
}

/// A connection that speaks RESP, or memcached's text protocol.
private struct KeyClient {
  private let connection: FileDescriptor
  private let speaksMemcached: Bool
  private var received: [UInt8] = []
  private var position = 0

  init(_ server: KeyServer) throws {
    let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    guard number >= 0 else { throw Errno(rawValue: errno) }
    connection = FileDescriptor(rawValue: number)
    speaksMemcached = server.speaksMemcached
    do {
      try SystemCalls.connect(connection, to: .path(server.path))
    } catch {
      try connection.close()
      throw error
    }
  }

  func close() { try? connection.close() }

  /// Sets keys, and gives how many of them the server acknowledged.
  mutating func set(_ pairs: [(key: String, value: String)]) throws -> Int {
    if speaksMemcached {
      try send(
        pairs.map { "set \($0.key) 0 0 \($0.value.utf8.count)\r\n\($0.value)\r\n" }.joined())
    } else {
      try send(pairs.map { ["SET", $0.key, $0.value] })
    }
    var acknowledged = 0
    for _ in pairs where try line() == (speaksMemcached ? "STORED" : "+OK") { acknowledged += 1 }
    return acknowledged
  }

  /// The values of keys; nil for each that the server does not have.
  mutating func get(_ keys: [String]) throws -> [String?] {
    if speaksMemcached {
      try send(keys.map { "get \($0)\r\n" }.joined())
    } else {
      try send(keys.map { ["GET", $0] })
    }
    var values: [String?] = []
    for _ in keys { values.append(try answer()) }
    return values
  }

  /// What the server says about how many keys it has.
  mutating func size() throws -> String {
    guard !speaksMemcached else { return "DBSIZE not asked for" }
    try send([["DBSIZE"]])
    return "DBSIZE \(try line())"
  }

  private func send(_ commands: [[String]]) throws {
    var text = ""
    for command in commands {
      text += "*\(command.count)\r\n"
      for word in command { text += "$\(word.utf8.count)\r\n\(word)\r\n" }
    }
    try send(text)
  }

  private func send(_ text: String) throws { try connection.writeAll(text.utf8) }

  private mutating func line() throws -> String {
    while true {
      if let end = received[position...].firstIndex(of: UInt8(ascii: "\n")) {
        let text = String(decoding: received[position..<(end - 1)], as: UTF8.self)
        position = end + 1
        return text
      }
      try receive()
    }
  }

  private mutating func answer() throws -> String? {
    let header = try line()
    if speaksMemcached {
      if header == "END" { return nil }
      guard header.hasPrefix("VALUE "), let count = Int(header.split(separator: " ").last ?? "")
      else { throw LabFailure.answerNotUnderstood(header) }
      let text = try take(count)
      guard try line() == "END" else { throw LabFailure.answerNotUnderstood(header) }
      return text
    }
    // "$-1" answers for a key that does not exist. An error does not count: the server may be loading.
    guard header.hasPrefix("$"), let count = Int(header.dropFirst()) else {
      throw LabFailure.answerNotUnderstood(header)
    }
    return count < 0 ? nil : try take(count)
  }

  /// Takes `count` bytes and the end of their line.
  private mutating func take(_ count: Int) throws -> String {
    while received.count - position < count + 2 { try receive() }
    let text = String(decoding: received[position..<(position + count)], as: UTF8.self)
    position += count + 2
    return text
  }

  private mutating func receive() throws {
    received.removeFirst(position)
    position = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    // SAFETY: the bytes are the buffer's.
    let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe connection.read(into: $0) }
    guard count > 0 else { throw LabFailure.connectionClosed }
    received += buffer[..<count]
  }
}
