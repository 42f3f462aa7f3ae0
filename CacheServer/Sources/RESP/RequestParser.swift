/// Finds the requests in the bytes that a client sends. Copies only the words of an inline request, and reads only
/// incomplete lines twice.
///
///     *2\r\n$3\r\nGET\r\n$3\r\nkey\r\n      GET key\r\n
///           │         └── arguments ──┘     └── an inline request: words, quoted or not
///     ──────┴─ cursor moves on; consumed follows when a request is whole
///
/// A request that is not whole yet is kept in the parser's state: the caller gives its bytes again,
/// with more behind them, after ``discardConsumed()``.
public struct RequestParser: Sendable {
  /// What was found.
  public enum Step: Equatable, Sendable {
    /// A request: ``RequestParser/request(in:)``.
    case request
    /// Nothing that is whole.
    case incomplete
    /// No request. Nothing behind it can be understood.
    case failed(ProtocolError)
  }

  /// The longest argument, in bytes: what Redis calls proto-max-bulk-len.
  public static let bulkByteLimit = 512 << 20
  /// The most arguments of a request.
  public static let argumentLimit = 1 << 20
  /// The longest line, in bytes.
  public static let lineByteLimit = 64 << 10

  /// Whether the client has said who it is. One that has not is refused what takes memory: requests of more
  /// than ``strangerArgumentLimit`` arguments, or with one longer than ``strangerBulkByteLimit``.
  public var isTrusted = true
  /// The most arguments of a request of a client that is not trusted.
  public static let strangerArgumentLimit = 10
  /// The longest argument of a client that is not trusted, in bytes.
  public static let strangerBulkByteLimit = 16 << 10

  /// The arguments of the request that was found last: in the bytes that were given, or in
  /// ``inlineBytes``.
  private var arguments: [ArgumentRange] = []
  /// The words of the request that was found last, if it was an inline one.
  var inlineBytes: [UInt8] = []
  /// Whether the request that was found last was an inline one.
  private var isInline = false
  /// How many of the given bytes are done with.
  public private(set) var consumed = 0

  /// The first byte that was not looked at.
  private var cursor = 0
  /// How many arguments are still to come; 0 between requests.
  private var missing = 0

  /// A parser of a connection that begins.
  public init() { arguments.reserveCapacity(8) }

  /// Whether a part of a request was found that is not whole.
  public var isInsideRequest: Bool { missing > 0 || cursor > consumed }

  /// Looks for the next request in `bytes`, which are those of the last call, and maybe more.
  @inline(__always)
  public mutating func next(in bytes: RawSpan) -> Step {
    while true {
      if missing == 0 {
        // The caller does not need the last request any more.
        consumed = cursor
        guard cursor < bytes.byteCount else { return .incomplete }
        guard bytes[cursor] == UInt8(ascii: "*") else {
          if let step = nextInline(in: bytes) { return step }
          continue
        }
        isInline = false
        arguments.removeAll(keepingCapacity: arguments.capacity <= 1024)
        switch number(in: bytes, from: cursor &+ 1) {
        case .incomplete:
          return bytes.byteCount - cursor > Self.lineByteLimit
            ? .failed(.multibulkCountTooBig) : .incomplete
        case .invalid: return .failed(.multibulkLengthInvalid)
        case .number(let count, let end):
          guard count <= Self.argumentLimit else { return .failed(.multibulkLengthInvalid) }
          guard isTrusted || count <= Self.strangerArgumentLimit else {
            return .failed(.multibulkLengthOfStranger)
          }
          cursor = end
          guard count > 0 else { continue }
          missing = Int(count)
        }
      }
      return nextArguments(in: bytes)
    }
  }

  /// The request that was found last.
  ///
  /// - Parameter bytes: the bytes in which it was found.
  /// - Precondition: the last step was a request.
  @_lifetime(borrow self, copy bytes)
  public func request(in bytes: RawSpan) -> Request {
    isInline ? Request(inlineBytes.rawSpan, arguments.span) : Request(bytes, arguments.span)
  }

  /// Counts the request that was found last among what is done with, without looking for another.
  ///
  /// - Precondition: the last step was a request.
  public mutating func finishRequest() { consumed = cursor }

  /// Forgets that the last request was found: it is found again.
  ///
  /// - Precondition: the last step was a request.
  public mutating func putBack() { cursor = consumed }

  /// Forgets the bytes that are done with; the caller takes as many away from what it gives next.
  ///
  /// - Complexity: O(arguments of the request that is not whole).
  public mutating func discardConsumed() {
    guard consumed > 0 else { return }
    cursor -= consumed
    if missing > 0 {
      let moved = consumed
      for index in arguments.indices { arguments[index] = arguments[index].moved(forward: moved) }
    }
    consumed = 0
  }

  private mutating func nextArguments(in bytes: RawSpan) -> Step {
    while missing > 0 {
      guard cursor < bytes.byteCount else { return .incomplete }
      let first = bytes[cursor]
      switch number(in: bytes, from: cursor &+ 1) {
      case .incomplete:
        return bytes.byteCount - cursor > Self.lineByteLimit
          ? .failed(.bulkCountTooBig) : .incomplete
      case .invalid:
        guard first == UInt8(ascii: "$") else { return .failed(.bulkExpected(got: first)) }
        return .failed(.bulkLengthInvalid)
      case .number(let count, let end):
        guard first == UInt8(ascii: "$") else { return .failed(.bulkExpected(got: first)) }
        guard count >= 0, count <= Self.bulkByteLimit else { return .failed(.bulkLengthInvalid) }
        guard isTrusted || count <= Self.strangerBulkByteLimit else {
          return .failed(.bulkLengthOfStranger)
        }
        // The two bytes behind an argument are not looked at, as Redis does not.
        guard bytes.byteCount &- end >= Int(count) &+ 2 else { return .incomplete }
        arguments.append(ArgumentRange(start: end, byteCount: Int(count)))
        cursor = end &+ Int(count) &+ 2
        missing &-= 1
      }
    }
    return .request
  }

  /// Looks for an inline request. Returns `nil` for an empty line, behind which a request may follow.
  private mutating func nextInline(in bytes: RawSpan) -> Step? {
    var end = cursor
    while end < bytes.byteCount, bytes[end] != UInt8(ascii: "\n") { end &+= 1 }
    guard end < bytes.byteCount else {
      return end - cursor > Self.lineByteLimit ? .failed(.inlineTooBig) : .incomplete
    }
    var lineEnd = end
    if lineEnd > cursor, bytes[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
    let line = bytes.extracting(cursor..<lineEnd)
    isInline = true
    arguments.removeAll(keepingCapacity: arguments.capacity <= 1024)
    inlineBytes.removeAll(keepingCapacity: true)
    guard splitWords(of: line) else { return .failed(.unbalancedQuotes) }
    cursor = end + 1
    return arguments.isEmpty ? nil : .request
  }

  /// The words of a line, or `nil` if its quotation marks are unbalanced.
  mutating func words(of line: [UInt8]) -> [String]? {
    guard splitWords(of: line.rawSpan) else { return nil }
    return arguments.map {
      String(
        decoding: inlineBytes[Int($0.start)..<Int($0.start) + Int($0.byteCount)], as: UTF8.self)
    }
  }

  /// Adds a word of an inline request that was put into ``inlineBytes`` from `start` on.
  mutating func addInlineWord(from start: Int) {
    arguments.append(ArgumentRange(start: start, byteCount: inlineBytes.count - start))
  }
}
