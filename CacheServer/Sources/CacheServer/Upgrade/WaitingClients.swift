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
  /// The sockets, each with the client's place.
  private let sockets = ReadableSockets()
  /// The places of clients that watch keys.
  private var watching: [Int] = []
  /// The places of clients to be taken first. Some of those clients may have been taken since.
  private var urgent: [Int] = []
  /// All clients before this place were taken.
  private var start = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  func add(_ client: ConnectionHandler, _ socket: Int32) {
    let place = clients.count
    places[client.session.id] = place
    clients.append((client, socket))
    sockets.insert(socket, place: place)
    count += 1
    if client.session.isWatching { watching.append(place) }
    if client.pending.readableBytes > 0 || client.awaitsUpgrade { urgent.append(place) }
  }

  /// Replaces the client with the same number, which has changed since it was sent.
  ///
  /// - Returns: whether the list contained it.
  func replace(with client: ConnectionHandler) -> Bool {
    guard let place = places[client.session.id], let old = clients[place] else { return false }
    clients[place] = (client, old.socket)
    if client.session.isWatching, !old.client.session.isWatching { watching.append(place) }
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

  /// Calls `body` with every client that watches keys.
  func forEachWatching(_ body: (ConnectionHandler) -> Void) {
    for place in watching {
      if let client = clients[place]?.client { body(client) }
    }
  }

  /// Removes and returns clients: first those with requests, then the others.
  ///
  /// - Precondition: `limit` is positive.
  func take(atMost limit: Int) -> [Client] {
    var taken: [Client] = []
    while taken.count < limit, let place = urgent.popLast() {
      if let client = take(at: place) { taken.append(client) }
    }
    for place in sockets.readablePlaces(atMost: limit) where taken.count < limit {
      if let client = take(at: place) { taken.append(client) }
    }
    while taken.count < limit, start < clients.count {
      if let client = take(at: start) { taken.append(client) }
      start += 1
    }
    return taken
  }

  private func take(at place: Int) -> Client? {
    guard let client = clients[place] else { return nil }
    clients[place] = nil
    sockets.remove(client.socket)
    count -= 1
    return client
  }
}
