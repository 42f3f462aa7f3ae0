import Platform
import SystemPackage

// A client of the cache server. The number of a key determines its value, so the client knows what to expect.

/// Sets keys, and prints how many of them the server acknowledged.
func writeKeys(socket: String, _ numbers: Range<Int>) throws {
  var client = try Client(socket)
  var acknowledged = 0
  for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 200) {
    let batch = start..<min(start + 200, numbers.upperBound)
    try client.send(batch.map { ["SET", "key:\($0)", value(of: $0)] })
    for _ in batch where try client.line() == "+OK" { acknowledged += 1 }
  }
  print("acknowledged \(acknowledged)")
}

/// Reads keys, and prints how many of them have the right value.
func checkKeys(socket: String, _ numbers: Range<Int>) throws {
  var client = try Client(socket)
  try client.send([["GET", "key:\(numbers.lowerBound)"]])
  _ = try client.bulk()
  print("answered at \(try uptime())")
  var right = 0
  for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 200) {
    let batch = start..<min(start + 200, numbers.upperBound)
    try client.send(batch.map { ["GET", "key:\($0)"] })
    for number in batch where try client.bulk() == value(of: number) { right += 1 }
  }
  try client.send([["DBSIZE"]])
  print("right \(right) of \(numbers.count), DBSIZE \(try client.line())")
}

/// The value of a key, of 24 to 119 bytes.
private func value(of number: Int) -> String {
  var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
  state ^= state &>> 29
  let text = String(state, radix: 16)
  return String(repeating: text + "-", count: 2 + number % 6)
}

/// A connection that speaks RESP.
private struct Client {
  private let connection: FileDescriptor
  private var received: [UInt8] = []
  private var position = 0

  init(_ path: String) throws {
    let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    guard number >= 0 else { throw Errno(rawValue: errno) }
    connection = FileDescriptor(rawValue: number)
    try SystemCalls.connect(connection, to: .path(FilePath(path)))
  }

  func send(_ commands: [[String]]) throws {
    var text = ""
    for command in commands {
      text += "*\(command.count)\r\n"
      for word in command { text += "$\(word.utf8.count)\r\n\(word)\r\n" }
    }
    try connection.writeAll(text.utf8)
  }

  mutating func line() throws -> String {
    while true {
      if let end = received[position...].firstIndex(of: UInt8(ascii: "\n")) {
        let text = String(decoding: received[position..<(end - 1)], as: UTF8.self)
        position = end + 1
        return text
      }
      try receive()
    }
  }

  /// Reads a value; nil if the server does not have the key.
  mutating func bulk() throws -> String? {
    let header = try line()
    guard header.hasPrefix("$"), let count = Int(header.dropFirst()), count >= 0 else { return nil }
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
