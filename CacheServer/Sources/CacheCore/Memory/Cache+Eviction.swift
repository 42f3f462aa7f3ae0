internal import PersistentCollections
internal import RESP

/// How much was evicted for one command.
struct EvictionEffort {
  /// A command that needs more room than this many entries make is refused.
  static let limit = 100_000
  /// From here on, whole stretches of memory are emptied: what went had other sizes than what comes.
  static let scatteredLimit = 32

  var count = 0
}

extension Cache {
  /// Evicts an entry after `error`, so that what caused it can be tried again.
  ///
  /// - Throws: `error`, where nothing may be evicted, or that would not help.
  mutating func evict(
    after error: PersistentCollectionError, _ effort: inout EvictionEffort
  ) throws(CommandError) {
    guard error.isShortage, settings.policy == .allkeysLRU, effort.count < EvictionEffort.limit
    else { throw .collection(error) }
    effort.count += 1
    do throws(PersistentCollectionError) {
      let isDone =
        try effort.count > EvictionEffort.scatteredLimit ? evictNeighbours() : evictOne()
      guard isDone else { throw error }
    } catch {
      throw .collection(error)
    }
  }

  /// Evicts entries that lie together, so that their memory can serve any others.
  ///
  /// - Returns: false where there is none.
  private mutating func evictNeighbours() throws(PersistentCollectionError) -> Bool {
    var keys: [[UInt8]] = []
    try map.neighbours(using: &generator) { key, _, _ in keys.append(key.array) }
    for key in keys where try remove(key.rawSpan) { figures.evictedCount &+= 1 }
    return !keys.isEmpty
  }

  /// Evicts until the entries take no more than they may: they can after the limit was lowered.
  ///
  /// - Throws: as Redis refuses a command then.
  mutating func makeRoom() throws(CommandError) {
    var effort = EvictionEffort()
    while map.storageByteCount > map.storageByteLimit { try evict(after: .limitReached, &effort) }
  }

  /// Evicts for a while what is too much.
  ///
  /// - Returns: whether there is more to do.
  public mutating func evictSurplus(atMost limit: Int) -> Bool {
    guard settings.policy == .allkeysLRU else { return false }
    for _ in 0..<limit {
      guard map.storageByteCount > map.storageByteLimit else { return false }
      guard let isDone = try? evictOne(), isDone else { return false }
    }
    return true
  }

  /// Evicts the entry that was not used for longest, of those that were looked at.
  ///
  /// - Returns: false where there is none.
  private mutating func evictOne() throws(PersistentCollectionError) -> Bool {
    // What is in the pool may be gone, or have been used since.
    for _ in 0..<4 * EvictionPool.countLimit {
      try fillPool()
      guard let candidate = pool.take() else { return false }
      let key = candidate.key.rawSpan
      let clock = try map.withValue(of: key) { $1.lastAccess }
      guard let clock, clock == candidate.clock else { continue }
      if try remove(key) {
        figures.evictedCount &+= 1
        return true
      }
    }
    return false
  }

  private mutating func fillPool() throws(PersistentCollectionError) {
    var seen = 0
    var pool = pool
    // Every sample of a map that is not empty gives an entry.
    for _ in 0..<settings.sampleCount {
      guard seen < settings.sampleCount, map.count > 0 else { break }
      try map.sample(using: &generator) { key, _, notes in
        seen += 1
        if pool.wants(notes.lastAccess) {
          pool.offer(EvictionPool.Candidate(key: key.array, clock: notes.lastAccess))
        }
      }
    }
    self.pool = pool
  }
}
