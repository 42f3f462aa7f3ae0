internal import TrialSupport

/// Sets and deletes keys over one connection, many at a time.
struct ValueSetter {
  let connection: Connection
  /// Values are prefixes of these bytes: a random block of 1 MiB, repeated.
  private let bytes: [UInt8]

  /// The longest value, in bytes.
  static let longest = 20_000_000
  private static let batchByteCount = 256 << 10

  init(_ server: TrialServer, seed: UInt64) throws {
    connection = try Connection(port: server.port)
    var generator = SplitMix(seed: seed)
    let block = generator.bytes(1 << 20)
    bytes = Array((0...Self.longest >> 20).map { _ in block }.joined())
  }

  private func key(_ prefix: String, _ number: Int) -> [UInt8] { Array("\(prefix):\(number)".utf8) }

  /// Sends a request for each number, some at a time, and calls `take` with each reply.
  ///
  /// - Parameter byteCount: about how many bytes a request has.
  /// - Parameter take: returns whether to send more requests.
  private func send(
    _ numbers: [Int], byteCount: Int, _ request: (Int) -> [[UInt8]], _ take: (Reply) -> Bool
  ) throws {
    let batch = max(1, min(200, Self.batchByteCount / max(byteCount, 1)))
    var goesOn = true
    for start in stride(from: 0, to: numbers.count, by: batch) where goesOn {
      let some = numbers[start..<min(start + batch, numbers.count)]
      var output: [UInt8] = []
      for number in some { appendRequest(request(number), to: &output) }
      connection.enqueue(output)
      for _ in some where !take(try connection.reply()) { goesOn = false }
    }
  }

  /// Stores `count` values, or fewer if the server refuses one.
  ///
  /// - Returns: how many were stored.
  func fill(_ prefix: String, valueByteCount: Int, upTo count: Int) throws -> Int {
    let value = Array(bytes[..<valueByteCount])
    var storedCount = 0
    try send(Array(0..<count), byteCount: valueByteCount) {
      [Array("SET".utf8), key(prefix, $0), value]
    } _: { reply in
      guard reply == .ok else { return false }
      storedCount += 1
      return true
    }
    return storedCount
  }

  /// Deletes keys.
  func delete(_ prefix: String, _ numbers: [Int]) throws {
    try send(numbers, byteCount: 50) {
      [Array("DEL".utf8), key(prefix, $0)]
    } _: { _ in
      true
    }
  }

  /// How many of the first `count` keys the server has.
  func countPresent(_ prefix: String, _ count: Int) throws -> Int {
    var found = 0
    try send(Array(0..<count), byteCount: 50) {
      [Array("EXISTS".utf8), key(prefix, $0)]
    } _: { reply in
      if reply == .integer(1) { found += 1 }
      return true
    }
    return found
  }

  /// Stores one value.
  ///
  /// - Returns: whether the server accepted it.
  func set(_ prefix: String, _ number: Int, valueByteCount: Int) throws -> Bool {
    connection.enqueue(
      requestBytes([Array("SET".utf8), key(prefix, number), Array(bytes[..<valueByteCount])]))
    return try connection.reply() == .ok
  }
}
