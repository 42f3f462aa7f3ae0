internal import PersistentCollections
internal import RESP

/// Which clients watch which keys of the map, and which of those have changed.
struct WatchTable {
  private var watchers: [[UInt8]: Set<UInt64>] = [:]
  private var touched: Set<UInt64> = []

  var isEmpty: Bool { watchers.isEmpty }

  mutating func add(_ key: [UInt8], _ session: UInt64) {
    watchers[key, default: []].insert(session)
  }

  mutating func remove(_ keys: [[UInt8]], _ session: UInt64) {
    for key in keys {
      watchers[key]?.remove(session)
      if watchers[key]?.isEmpty == true { watchers[key] = nil }
    }
    touched.remove(session)
  }

  func isTouched(_ session: UInt64) -> Bool { touched.contains(session) }

  mutating func touch(session: UInt64) { touched.insert(session) }

  mutating func touch(_ key: [UInt8]) {
    if let sessions = watchers[key] { touched.formUnion(sessions) }
  }

  /// Touches the keys for which `isConcerned` is true.
  mutating func touch(where isConcerned: ([UInt8]) -> Bool) {
    for (key, sessions) in watchers where isConcerned(key) { touched.formUnion(sessions) }
  }
}

extension Cache {
  /// An entry has changed, come or gone.
  @inline(__always)
  mutating func touchWatches(_ key: RawSpan) {
    if !watches.isEmpty { watches.touch(key.array) }
  }

  /// `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.
  mutating func performTransaction(
    _ command: Command, _ request: borrowing Request, _ session: inout Session,
    _ reply: inout ReplyWriter
  ) throws(CommandError) {
    switch command {
    case .multi:
      guard session.transaction == nil else {
        throw .sentence("ERR MULTI calls can not be nested")
      }
      session.transaction = Transaction()
      reply.ok()
    case .discard:
      guard session.transaction != nil else { throw .sentence("ERR DISCARD without MULTI") }
      session.transaction = nil
      forgetWatches(of: &session)
      reply.ok()
    case .watch:
      guard session.transaction == nil else {
        throw .sentence("ERR WATCH inside MULTI is not allowed")
      }
      for index in 1..<request.count {
        // One whose time has come is gone before it is watched.
        _ = try deadline(at: request[index])
        let key = request[index].array
        guard !session.watchedKeys.contains(key) else { continue }
        session.watchedKeys.append(key)
        watches.add(key, session.id)
      }
      reply.ok()
    case .unwatch:
      forgetWatches(of: &session)
      reply.ok()
    default: try execute(&session, &reply)
    }
  }

  /// `EXEC`: what was sent is carried out by ``executeNext(_:_:)``.
  private mutating func execute(
    _ session: inout Session, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard let transaction = session.transaction else {
      throw .sentence("ERR EXEC without MULTI")
    }
    defer { forgetWatches(of: &session) }
    session.transaction = nil
    guard !transaction.isAborted else {
      throw .sentence("EXECABORT Transaction discarded because of previous errors.")
    }
    // A watched entry whose time has come has changed.
    for key in session.watchedKeys { _ = try deadline(at: key.rawSpan) }
    guard !watches.isTouched(session.id) else {
      reply.nullArray()
      return
    }
    let growsMemory = transaction.requests.contains { table.slot(of: $0.request[0]).growsMemory }
    if growsMemory, map.storageByteCount > map.storageByteLimit {
      do throws(CommandError) { try evictToLimit() } catch {
        throw .sentence("EXECABORT Transaction discarded because of: \(error.reply)")
      }
    }
    reply.array(transaction.requests.count)
    guard !transaction.requests.isEmpty else { return }
    session.transaction = transaction
    session.transaction!.progress = 0
  }

  /// Carries out the next request of a transaction.
  ///
  /// - Returns: what to do next; `nil` if the session has no transaction, or its transaction has no request left and the
  ///   connection stays.
  mutating func executeNext(
    _ session: inout Session, _ reply: inout ReplyWriter
  ) -> Outcome? {
    guard let transaction = session.transaction, let progress = transaction.progress else {
      return nil
    }
    guard progress < transaction.requests.count else {
      session.transaction = nil
      return session.endsAfterTransaction ? .close : nil
    }
    session.transaction!.progress = progress + 1
    let queued = transaction.requests[progress]
    return perform(queued.request, &session, &reply)
  }

  /// Forgets what a client watches.
  public mutating func forgetWatches(of session: inout Session) {
    guard !session.watchedKeys.isEmpty else { return }
    watches.remove(session.watchedKeys, session.id)
    session.watchedKeys = []
  }

  /// Watches again what a client has watched in a predecessor.
  public mutating func restoreWatches(of session: borrowing Session, isTouched: Bool) {
    for key in session.watchedKeys { watches.add(key, session.id) }
    if isTouched { watches.touch(session: session.id) }
  }

  /// Whether a key has changed that the client watches.
  public func areWatchesTouched(of session: borrowing Session) -> Bool {
    watches.isTouched(session.id)
  }

  // MARK: Waiting

  /// Which commands wait: `CLIENT PAUSE`.
  public enum Pause: Sendable {
    case none
    case writes
    case all
  }

  /// Whether a request has to wait.
  func isPaused(_ request: borrowing Request, _ session: borrowing Session) -> Bool {
    table.waits(request, session, pause)
  }
}

extension CommandTable {
  /// Whether a request has to wait for the end of a pause.
  func waits(
    _ request: borrowing Request, _ session: borrowing Session, _ pause: Cache.Pause
  ) -> Bool {
    let slot = self.slot(of: request[0])
    // CLIENT does not wait, because CLIENT UNPAUSE ends the pause.
    guard let command = slot.command, command != .client else { return false }
    if pause == .all || slot.isWrite { return true }
    guard command == .exec, let transaction = session.transaction else { return false }
    return transaction.requests.contains { self.slot(of: $0.request[0]).isWrite }
  }
}
