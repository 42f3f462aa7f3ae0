internal import CacheCore
internal import NIOCore
internal import RESP

extension Engine {
  /// `CLIENT REPLY ON | OFF | SKIP`.
  func setReplyMode(_ word: RawSpan, of connection: ConnectionHandler) {
    if word.isWord("on") {
      connection.session.replyMode = .on
      reply.ok()
    } else if word.isWord("off") {
      connection.session.replyMode = .off
    } else if word.isWord("skip") {
      if connection.session.replyMode == .on { connection.session.replyMode = .skipNext }
    } else {
      reply.error("ERR syntax error")
    }
  }

  /// `CLIENT PAUSE milliseconds [WRITE | ALL]`.
  func pause(_ request: borrowing Request) {
    guard let milliseconds = Int64(decimal: request[2]) else {
      return reply.error("ERR timeout is not an integer or out of range")
    }
    guard milliseconds >= 0, milliseconds < 1 << 40 else {
      return reply.error("ERR timeout is negative")
    }
    var isOfAll = true
    if request.count == 4 {
      isOfAll = request[3].isWord("all")
      guard isOfAll || request[3].isWord("write") else {
        return reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL")
      }
    }
    cache?.pause = isOfAll ? .all : .writes
    pauseEnd?.cancel()
    pauseEnd = onMainLoop(in: .milliseconds(milliseconds)) { $0.endPause() }
    reply.ok()
  }

  /// Ends a pause; the clients that wait are served once the present one is.
  func endPause() {
    pauseEnd?.cancel()
    pauseEnd = nil
    cache?.pause = .none
    for client in connections.values where client.hold == .pause { client.resume(from: .pause) }
  }
}
