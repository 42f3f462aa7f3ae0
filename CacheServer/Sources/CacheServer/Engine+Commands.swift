internal import CacheCore
internal import MemcachedProtocol
internal import NIOCore
internal import RESP

extension Engine {
  /// Carries out a command about the server, and writes the reply.
  func perform(
    _ command: Command, _ request: borrowing Request, for connection: ConnectionHandler
  ) {
    switch command {
    case .info:
      refreshFacts()
      cache!.writeInfo(request, facts, &reply)
    case .shutdown:
      switch shutdownWish(request) {
      case .end: break
      case .abort: return reply.error("ERR No shutdown in progress.")
      case nil: return reply.error("ERR syntax error")
      }
      // As Redis does, nothing is said.
      connection.markClosing()
      onMainLoop { $0.end() }
    case .upgrade: upgrade(for: connection)
    case .save: save()
    case .config: rewriteConfiguration()
    case .bgsave: saveInBackground(request)
    case .lastsave: reply.integer(Int64(facts.saveTime / 1000))
    default:
      // The list of clients includes those that a predecessor handed over and that are not read from yet.
      if request[1].isWord("list") || request[1].isWord("kill") { adoptWaiting(atMost: .max) }
      client(request, for: connection)
    }
  }

  /// Looks up what changes by itself.
  func refreshFacts() {
    facts.clientCount = connections.count + waiting.count
    facts.blockedCount = connections.values.count { $0.hold == .pause }
    (facts.lockWaitCount, facts.lockWaitMicroseconds) = lock.waits
    facts.residentByteCount = SystemCalls.residentByteCount()
    facts.processorTime = SystemCalls.processorTime()
  }

  /// `stats` of the memcached protocol.
  func writeMemcachedStatistics(_ parser: borrowing MemcachedParser, _ bytes: RawSpan) {
    refreshFacts()
    cache!.writeMemcachedStatistics(bytes, parser, facts, &reply)
  }

  /// What `SHUTDOWN` can be about.
  private enum ShutdownWish {
    case end
    case abort
  }

  /// Nil for options that Redis does not take, or not together.
  private func shutdownWish(_ request: borrowing Request) -> ShutdownWish? {
    var saves: Bool?
    var isAbort = false
    for index in 1..<request.count {
      let word = request[index]
      if word.isWord("nosave") || word.isWord("save") {
        let wish = word.isWord("save")
        guard saves == nil || saves == wish else { return nil }
        saves = wish
      } else if word.isWord("abort") {
        isAbort = true
      } else if !word.isWord("now"), !word.isWord("force") {
        return nil
      }
    }
    guard isAbort else { return .end }
    return request.count == 2 ? .abort : nil
  }
}
