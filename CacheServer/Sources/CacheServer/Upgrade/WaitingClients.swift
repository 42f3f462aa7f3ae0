internal import CacheCore
internal import NIOCore
internal import SystemPackage

/// Clients that a predecessor has handed over and that are not read from yet.
///
/// Making their sockets channels takes longer than handing them over, so it goes on beside service, and those come first
/// that have sent something.
///
/// `@unchecked Sendable`: the start has it, then the event loop.
final class WaitingClients: @unchecked Sendable {
  typealias Client = (client: ConnectionHandler, socket: Int32)

  /// In the order in which they came; nil for one that was taken.
  private var clients: [Client?] = []
  private var places: [UInt64: Int] = [:]
  private var sockets = PollList()
  /// The places of those that are taken first; also of some that were taken since.
  private var urgent: [Int] = []
  /// In front of this place, all are taken.
  private var start = 0
  private(set) var count = 0
  /// Where the next round looks for sockets from which something can be read. Looking at 10,000 takes milliseconds, so
  /// each round looks at some.
  private var pollStart = 0
  private var hasPolledAll = false
  private static let pollCount = 1024

  var isEmpty: Bool { count == 0 }

  func add(_ client: ConnectionHandler, _ socket: Int32) {
    let place = clients.count
    places[client.session.id] = place
    clients.append((client, socket))
    sockets.append(socket)
    count += 1
    noteUrgency(at: place)
  }

  /// Puts a client in the place of the one with its number, which has changed meanwhile.
  ///
  /// - Returns: whether there is one.
  func replace(with client: ConnectionHandler) -> Bool {
    guard let place = places[client.session.id], let old = clients[place] else { return false }
    clients[place] = (client, old.socket)
    // It has just sent something, and will again.
    urgent.append(place)
    return true
  }

  /// Forgets a client, and closes its socket here.
  ///
  /// - Returns: whether there is one.
  func drop(_ id: UInt64) -> Bool {
    guard let place = places[id], let client = take(at: place) else { return false }
    try? FileDescriptor(rawValue: client.socket).close()
    return true
  }

  /// Calls `body` with every client.
  func forEach(_ body: (ConnectionHandler) -> Void) {
    for case (let client, _)? in clients { body(client) }
  }

  /// Takes clients away: first those that have something to be done or have sent something, then others.
  func take(atMost limit: Int) -> [Client] {
    let isFirstPass = !hasPolledAll
    if pollStart >= clients.count { pollStart = start }
    urgent += sockets.takeReadable(from: pollStart, count: Self.pollCount)
    pollStart += Self.pollCount
    if pollStart >= clients.count { hasPolledAll = true }
    var taken: [Client] = []
    while taken.count < limit, let place = urgent.popLast() {
      if let client = take(at: place) { taken.append(client) }
    }
    // First of all, those are found that have sent something.
    while !isFirstPass || limit > clients.count, taken.count < limit, start < clients.count {
      if let client = take(at: start) { taken.append(client) }
      start += 1
    }
    return taken
  }

  private func take(at place: Int) -> Client? {
    guard let client = clients[place] else { return nil }
    clients[place] = nil
    sockets.remove(at: place)
    count -= 1
    return client
  }

  private func noteUrgency(at place: Int) {
    guard let client = clients[place]?.client else { return }
    if client.pending.readableBytes > 0 || client.awaitsUpgrade { urgent.append(place) }
  }
}
