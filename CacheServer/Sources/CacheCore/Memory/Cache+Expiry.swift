internal import PersistentCollections
internal import RESP

extension Cache {
  /// What a look for entries whose time has come has found.
  public struct ExpirySweep: Equatable, Sendable {
    /// Entries that were looked at.
    public var lookedAt = 0
    /// Entries that went.
    public var removed = 0

    /// Nothing yet.
    public init() {}
  }

  /// Looks at about `limit` entries, where the last call has stopped, and removes those whose time has
  /// come.
  ///
  /// Nothing is looked at while no entry has a deadline. Deadlines have no index of their own: it would
  /// have to change together with the entries at every `EXPIRE`, and cost memory for each. So what is
  /// never asked for again goes when the search comes by.
  public mutating func sweepExpired(lookingAt limit: Int) -> ExpirySweep {
    var sweep = ExpirySweep()
    flushItemsIfDue()
    guard deadlineCount > 0, pause == .none else { return sweep }
    let now = now
    var over: [[UInt8]] = []
    // Buckets without entries count as well.
    var callCount = 0
    repeat {
      callCount += 1
      guard
        let next = try? map.scan(
          from: expiryCursor,
          { key, _, metadata in
            sweep.lookedAt += 1
            if metadata.isOver(at: now) { over.append(key.array) }
          })
      else { break }
      expiryCursor = next
    } while expiryCursor != 0 && sweep.lookedAt < limit && callCount < limit
    for key in over where (try? removeExpired(key.rawSpan)) != nil { sweep.removed += 1 }
    return sweep
  }
}
