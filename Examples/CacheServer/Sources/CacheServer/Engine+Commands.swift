internal import CacheCore
internal import NIOCore
internal import RESP

extension Engine {
  /// Carries out a command about the server, and writes the reply.
  func perform(
    _ command: Command, _ request: borrowing Request, for connection: ConnectionHandler
  ) {
    switch command {
    case .info:
      facts.clientCount = connections.count
      facts.residentByteCount = SystemCalls.residentByteCount()
      cache!.writeInfo(request, facts, &reply)
    case .shutdown:
      guard isShutdown(request) else { return reply.error("ERR syntax error") }
      // As Redis does, nothing is said.
      connection.markClosing()
      eventLoop.execute { self.end() }
    case .upgrade: upgrade(for: connection)
    default: client(request, for: connection)
    }
  }

  private func isShutdown(_ request: borrowing Request) -> Bool {
    for index in 1..<max(request.count, 1) {
      let word = request[index]
      guard
        word.isWord("nosave") || word.isWord("save") || word.isWord("now") || word.isWord("force")
      else { return false }
    }
    return true
  }
}
