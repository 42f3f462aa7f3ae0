import RESP

/// What a stream of bytes was understood as.
enum Found: Equatable, CustomStringConvertible {
  case request([[UInt8]])
  case failed(ProtocolError)

  static func words(_ words: String...) -> Found { .request(words.map { Array($0.utf8) }) }

  var description: String {
    switch self {
    case .request(let words): "\(words.map { String(decoding: $0, as: UTF8.self) })"
    case .failed(let error): "\(error)"
    }
  }
}

/// A connection that gets bytes in pieces, as the server treats them.
struct Connection {
  private var parser = RequestParser()
  private var pending: [UInt8] = []
  private(set) var found: [Found] = []
  private(set) var hasFailed = false

  /// Whether something is left that is not a whole request.
  var isInsideRequest: Bool { parser.isInsideRequest }

  mutating func receive(_ bytes: some Sequence<UInt8>) {
    guard !hasFailed else { return }
    pending += bytes
    let pending = pending
    var parser = parser
    defer { self.parser = parser }
    loop: while true {
      switch parser.next(in: pending.rawSpan) {
      case .incomplete: break loop
      case .failed(let error):
        found.append(.failed(error))
        hasFailed = true
        return
      case .request:
        found.append(.request(Self.words(of: parser.request(in: pending.rawSpan))))
      }
    }
    self.pending.removeFirst(parser.consumed)
    parser.discardConsumed()
  }

  private static func words(of request: borrowing Request) -> [[UInt8]] {
    var words: [[UInt8]] = []
    for index in 0..<request.count { words.append(request[index].array) }
    return words
  }

  /// What `bytes` are understood as when they come in pieces that end at `ends`.
  static func parse(_ bytes: [UInt8], _ ends: [Int] = []) -> [Found] {
    var connection = Connection()
    var start = 0
    for end in ends + [bytes.count] {
      connection.receive(bytes[start..<end])
      start = end
    }
    return connection.found
  }
}
