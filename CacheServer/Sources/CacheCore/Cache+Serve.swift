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
    /// The caller must send the replies before it asks for more: they have reached the limit.
    case full
  }

  /// Carries out what a client has sent, request by request, and writes the replies.
  public mutating func serve(
    _ bytes: RawSpan, _ parser: inout RequestParser, _ session: inout Session,
    _ reply: inout ReplyWriter, outputLimit: Int
  ) -> Stop {
    while true {
      if !session.isPlain || !databases.isFirstInPlace {
        parser.isTrusted = session.isAuthenticated
        switch executeNext(&session, &reply) {
        case nil: break
        case .done: continue
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
      case .done: if reply.buffer.readableBytes > outputLimit { return .full }
      case .close: return .close
      case .forServer(let command): return .forServer(command)
      }
    }
  }
}
