internal import TrialSupport

/// How keys are written and read: Redis's protocol, or memcached's.
enum Dialect {
  case resp
  case memcached

  init(_ kind: TrialServer.Kind) { self = kind == .memcached ? .memcached : .resp }

  /// The keys and values of a trial: 1 KiB that follows from the number.
  static let valueByteCount = 1024

  static func key(_ number: Int) -> [UInt8] {
    let digits = String(number)
    return Array(("key:" + String(repeating: "0", count: 10 - digits.count) + digits).utf8)
  }

  static func value(_ number: Int) -> [UInt8] {
    Pattern.bytes(seed: UInt64(number), count: valueByteCount)
  }

  func appendSet(_ number: Int, to bytes: inout [UInt8]) {
    appendSet(Self.key(number), Self.value(number), to: &bytes)
  }

  func appendSet(_ key: [UInt8], _ value: [UInt8], to bytes: inout [UInt8]) {
    switch self {
    case .resp: appendRequest([Array("SET".utf8), key, value], to: &bytes)
    case .memcached:
      bytes += Array("set ".utf8) + key
      bytes += Array(" 0 0 \(value.count)\r\n".utf8) + value + [13, 10]
    }
  }

  /// The answer to `set`.
  var stored: [UInt8] { Array((self == .resp ? "+OK\r\n" : "STORED\r\n").utf8) }

  /// The answer to `get` for a key with that value.
  func appendAnswer(_ key: [UInt8], _ value: [UInt8], to bytes: inout [UInt8]) {
    switch self {
    case .resp: bytes += Array("$\(value.count)\r\n".utf8) + value + [13, 10]
    case .memcached:
      bytes += Array("VALUE ".utf8) + key + Array(" 0 \(value.count)\r\n".utf8)
      bytes += value + Array("\r\nEND\r\n".utf8)
    }
  }

  func get(_ number: Int) -> [UInt8] {
    switch self {
    case .resp: requestBytes([Array("GET".utf8), Self.key(number)])
    case .memcached: Array("get ".utf8) + Self.key(number) + [13, 10]
    }
  }

  /// What has come for an answer.
  enum Answer: Equatable {
    /// The value.
    case right
    /// The key does not exist.
    case missing
    /// The server is not ready: Redis's LOADING.
    case notReady
    /// Anything else.
    case wrong(String)
  }

  /// The answer to `get(number)`; nil where it is not whole yet.
  func takeAnswer(to number: Int, from connection: Connection) throws(ConnectionError) -> Answer? {
    switch self {
    case .resp:
      switch try connection.takeReply() {
      case nil: return nil
      case .bulk(let bytes):
        return bytes == Self.value(number) ? .right : .wrong(readable(bytes))
      case .null: return .missing
      case .error(let bytes):
        return bytes.starts(with: Array("LOADING".utf8)) ? .notReady : .wrong(readable(bytes))
      case .some(let other): return .wrong("\(other)")
      }
    case .memcached:
      let received = connection.received
      let tail = Array("END\r\n".utf8)
      guard received.suffix(5).elementsEqual(tail) else {
        return received.count > 4096 || received.starts(with: Array("ERROR".utf8))
          ? .wrong(readable(received)) : nil
      }
      let bytes = connection.take(received.count)
      if bytes == tail { return .missing }
      let head = Array("VALUE ".utf8) + Self.key(number)
      let whole = head + Array(" 0 \(Self.valueByteCount)\r\n".utf8) + Self.value(number)
      return bytes == whole + [13, 10] + tail ? .right : .wrong(readable(bytes))
    }
  }

  /// The number of answers to `set` that have come; each is "+OK" or "STORED".
  func takeStored(from connection: Connection) throws -> Int {
    var count = 0
    switch self {
    case .resp:
      while let reply = try connection.takeReply() {
        guard reply == .ok else { throw TrialFailure("SET is answered with \(reply)") }
        count += 1
      }
    case .memcached:
      let line = Array("STORED\r\n".utf8)
      while connection.received.count >= line.count {
        let bytes = connection.take(line.count)
        guard bytes == line else {
          throw TrialFailure("set is answered with \(readable(bytes))")
        }
        count += 1
      }
    }
    return count
  }
}
