internal import CacheCore
internal import NIOCore
internal import SystemPackage

/// Clients that a predecessor has handed over and that this process does not read from yet.
///
/// Making channels of their sockets takes longer than handing them over, so the event loop does it beside service, and
/// begins with the clients that have sent something.
///
/// `@unchecked Sendable`: the start has it, then the event loop.
final class WaitingClients: @unchecked Sendable {
  typealias Client = (client: ConnectionHandler, socket: Int32)

  /// The clients in the order in which they came, and `nil` in the place of one that was taken.
  private var clients: [Client?] = []
  /// The place of each client, by its number.
  private var places: [UInt64: Int] = [:]
  /// The sockets, at the same places.
  private var sockets = PollList()
  /// The places of clients to be taken first. Some of those clients may have been taken since.
  private var urgent: [Int] = []
  /// All clients before this place were taken.
  private var start = 0
  private(set) var count = 0
  /// Where the next round of polling begins. Polling 10,000 sockets takes milliseconds, so a round polls some.
  private var pollStart = 0
  /// Whether each socket was polled once.
  private var hasPolledAll = false
  /// How many sockets a round polls.
  private static let pollCount = 1024

  var isEmpty: Bool { count == 0 }

  func add(_ client: ConnectionHandler, _ socket: Int32) {
    let place = clients.count
    places[client.session.id] = place
    clients.append((client, socket))
    sockets.append(socket)
    count += 1
    if client.pending.readableBytes > 0 || client.awaitsUpgrade { urgent.append(place) }
  }

  /// Replaces the client with the same number, which has changed since it was sent.
  ///
  /// - Returns: whether the list contained it.
  func replace(with client: ConnectionHandler) -> Bool {
    guard let place = places[client.session.id], let old = clients[place] else { return false }
    clients[place] = (client, old.socket)
    // A client that sent something a moment ago is likely to send more.
    urgent.append(place)
    return true
  }

  /// Removes a client, and closes this process's copy of its socket.
  ///
  /// - Returns: whether the list contained it.
  func drop(_ id: UInt64) -> Bool {
    guard let place = places[id], let client = take(at: place) else { return false }
    try? FileDescriptor(rawValue: client.socket).close()
    return true
  }

  /// Calls `body` with every client.
  func forEach(_ body: (ConnectionHandler) -> Void) {
    for case (let client, _)? in clients { body(client) }
  }

  /// Removes and returns clients: first those with requests, then the others.
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
    // Others are not taken before each socket was polled, unless all are taken.
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
}
