internal import NIOCore
public import RESP

extension Cache {
  /// Why ``serve(_:_:_:_:outputLimit:)`` has stopped.
  public enum Stop: Equatable, Sendable {
    /// The remaining bytes are not a whole request.
    case incomplete
    /// Nothing behind this can be understood; an error is written, and the connection is to be closed.
    case failed(ProtocolError)
    /// The connection is to be closed once the replies are sent.
    case close
    /// The parser holds a request about the server.
    case forServer(Command)
    /// The parser of the memcached protocol holds a request for figures.
    case forMemcachedStatistics
    /// The request has to wait for the end of a pause; the parser will give it again.
    case paused
    /// The replies have reached the limit. The caller must send them before it asks for more, or, while the session is
    /// executing a transaction, keep them, so that other clients do not see a part of it.
    case full
    /// So many requests were carried out that other clients may have a turn before the next.
    case turn
  }

  /// After how many requests other clients may have a turn. A transaction is one request.
  static var turnLength: Int { 64 }
  /// After how many keys of one line of the memcached protocol.
  static var keyTurnLength: Int { 64 * turnLength }

  /// Carries out what a client has sent, request by request, and writes the replies.
  public mutating func serve(
    _ bytes: RawSpan, _ parser: inout RequestParser, _ session: inout Session,
    _ reply: inout ReplyWriter, outputLimit: Int
  ) -> Stop {
    var left = Self.turnLength
    while true {
      if !session.isPlain || !databases.isFirstInPlace {
        parser.isTrusted = session.isAuthenticated
        switch executeNext(&session, &reply) {
        case nil: break
        case .done:
          if reply.buffer.readableBytes > outputLimit { return .full }
          continue
        case .close: return .close
        case .forServer(let command): return .forServer(command)
        }
      } else {
        parser.isTrusted = true
      }
      switch parser.next(in: bytes) {
      case .incomplete: return .incomplete
      case .failed(let error):
        reply.error(Array("ERR Protocol error: ".utf8) + error.words)
        return .failed(error)
      case .request: break
      }
      if pause != .none, isPaused(parser.request(in: bytes), session) {
        parser.putBack()
        return .paused
      }
      switch perform(parser.request(in: bytes), &session, &reply) {
      case .done:
        if reply.buffer.readableBytes > outputLimit { return .full }
        left &-= 1
        if left <= 0, !session.isExecuting { return .turn }
      case .close: return .close
      case .forServer(let command): return .forServer(command)
      }
    }
  }
}
