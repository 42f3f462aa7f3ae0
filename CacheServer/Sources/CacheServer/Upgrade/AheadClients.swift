internal import CacheCore

/// What an upgrade has to do with clients when the event loops pause: with those that the successor does not have, and
/// those that have changed since it got them. The others, of which there may be 10,000, are not looked at.
///
/// Touched with the engine's lock.
struct AheadClients {
  /// The numbers of clients that the successor does not have.
  var unsent: Set<UInt64> = []
  /// Clients that have changed since they were sent, some of which may have ended.
  var changed: [ConnectionHandler] = []
  /// The numbers of clients that watched keys when they were sent.
  var watching: [UInt64] = []
  /// The numbers of clients that have ended since they were sent.
  var ended: [UInt64] = []
}

/// The clients as they are when the event loops pause.
struct Roster {
  /// Clients that the successor does not have yet.
  var new: [ConnectionHandler] = []
  /// Clients that have changed since the successor got them.
  var changed: [ConnectionHandler] = []
  /// The numbers of clients that were sent ahead and that the successor does not serve.
  var dropped: [UInt64] = []
}

extension Engine {
  /// Notes a client that has connected during an upgrade.
  func noteForUpgrade(connected client: ConnectionHandler) {
    if state == .upgrading { ahead.unsent.insert(client.session.id) }
  }

  /// Notes a client that has ended.
  func noteForUpgrade(ended client: ConnectionHandler) {
    guard state == .upgrading else { return }
    if client.isSentAhead {
      ahead.ended.append(client.session.id)
    } else {
      ahead.unsent.remove(client.session.id)
    }
  }

  /// Notes a client that the successor has got.
  func noteForUpgrade(sent client: ConnectionHandler) {
    client.isSentAhead = true
    client.isChangedSinceSent = false
    ahead.unsent.remove(client.session.id)
    if client.session.isWatching { ahead.watching.append(client.session.id) }
  }

  /// Notes, before the pause, which clients of an event loop have replies that wait to be sent. Called on that event
  /// loop, without the lock.
  func prepareRoster(on loop: ServingLoop) {
    let clients = locked {
      ahead.changed.filter { $0.loop === loop }
        + ahead.unsent.compactMap { connections[$0] }.filter { $0.loop === loop }
    }
    for client in clients { client.noteUnsent() }
  }

  /// Sorts the clients for the pause. What remains sent ahead afterwards, and what is new, is the successor's.
  ///
  /// - Complexity: O(clients that were not sent, have changed, watch keys, or have ended).
  func makeRoster() -> Roster {
    var roster = Roster()
    roster.dropped = ahead.ended
    for id in ahead.watching {
      guard let client = connections[id], client.isSentAhead, areWatchesTouched(of: client)
      else { continue }
      // Becomes one of the changed ones if it is not.
      client.isChangedSinceSent = true
    }
    for client in ahead.changed where connections[client.session.id] === client {
      guard client.canBeHandedOver else {
        client.isSentAhead = false
        roster.dropped.append(client.session.id)
        continue
      }
      client.areWatchesTouched = areWatchesTouched(of: client)
      roster.changed.append(client)
    }
    for id in ahead.unsent {
      guard let client = connections[id], client.canBeHandedOver else { continue }
      client.areWatchesTouched = areWatchesTouched(of: client)
      roster.new.append(client)
    }
    return roster
  }

  private func areWatchesTouched(of client: ConnectionHandler) -> Bool {
    client.session.isWatching && cache?.areWatchesTouched(of: client.session) == true
  }
}
