public import RESP

/// What a client has sent since `MULTI`.
public struct Transaction: Equatable, Sendable {
  /// A request, with bytes of its own.
  public struct Queued: Equatable, Sendable {
    /// The bytes of all arguments.
    public let bytes: [UInt8]
    /// Where in them each is.
    public let ranges: [ArgumentRange]

    /// A copy of `request`.
    public init(_ request: borrowing Request) {
      var bytes: [UInt8] = []
      var ranges: [ArgumentRange] = []
      for index in 0..<request.count {
        let argument = request[index]
        ranges.append(ArgumentRange(start: bytes.count, byteCount: argument.byteCount))
        bytes += argument.array
      }
      self.bytes = bytes
      self.ranges = ranges
    }

    /// A request of those arguments.
    ///
    /// - Precondition: there is at least one.
    public init(_ arguments: [[UInt8]]) {
      var ranges: [ArgumentRange] = []
      var start = 0
      for argument in arguments {
        ranges.append(ArgumentRange(start: start, byteCount: argument.count))
        start += argument.count
      }
      bytes = Array(arguments.joined())
      self.ranges = ranges
    }

    /// The request.
    public var request: Request {
      @_lifetime(borrow self)
      get { Request(bytes.rawSpan, ranges.span) }
    }

    /// The arguments.
    public var arguments: [[UInt8]] {
      ranges.map { Array(bytes[Int($0.start)..<Int($0.start) + Int($0.byteCount)]) }
    }
  }

  /// The requests, in order.
  public var requests: [Queued] = []
  /// Whether one was refused, so that none will be carried out.
  public var isAborted = false
  /// How many of them are carried out, while `EXEC` carries them out; nil before.
  public var progress: Int?

  /// The request that is being carried out; nil before `EXEC`.
  public var current: Queued? {
    guard let progress, progress > 0, progress <= requests.count else { return nil }
    return requests[progress - 1]
  }

  /// Nothing yet.
  public init() {}
}
