internal import PersistentCollections
internal import RESP

/// What was done so far to make room for one command.
struct EvictionEffort {
  /// A command that needs more room than this many entries make is refused.
  static let evictionLimit = 100_000
  /// Entries are moved together this often at most.
  static let moveLimit = 64

  var evictedCount = 0
  var evictedByteCount = 0
  /// The bytes that were evicted since entries were moved together.
  var byteCountSinceMove = 0
  var moveCount = 0
}

extension Cache {
  /// Makes room after `error`, so that what caused it can be tried again: entries move together, and those
  /// are evicted that were not used for longest.
  ///
  /// - Parameter byteCount: the bytes of the entry that did not fit.
  /// - Throws: `error`, where nothing may be evicted, or that would not help.
  mutating func makeRoom(
    forByteCount byteCount: Int, after error: PersistentCollectionError,
    _ effort: inout EvictionEffort
  ) throws(CommandError) {
    guard error.isShortage, UInt64(byteCount) < map.storageByteLimit else {
      throw .collection(error)
    }
    do throws(PersistentCollectionError) {
      guard settings.policy != .noeviction else {
        guard try moveTogether(byteCount, &effort) else { throw error }
        return
      }
      // Entries of one size make room for their like. For others, what has become free here and there has to
      // become one piece, a slab of 64 KiB or as much as the entry needs.
      let batch = max(byteCount / 4, 16 << 10)
      if effort.byteCountSinceMove >= batch {
        effort.byteCountSinceMove = 0
        if try moveTogether(byteCount, &effort) { return }
        // Far more was evicted than the entry needs, and nothing of it can be moved together.
        if effort.evictedByteCount > 4 * byteCount + (4 << 20) {
          guard try evictWhatIsInTheWay(ofByteCount: byteCount, &effort) else { throw error }
          return
        }
      }
      let goal = byteCount < 32 << 10 ? effort.byteCountSinceMove + 1 : batch
      repeat {
        guard effort.evictedCount < EvictionEffort.evictionLimit, let freed = try evictOne() else {
          guard try moveTogether(byteCount, &effort) else { throw error }
          return
        }
        effort.evictedCount += 1
        effort.evictedByteCount += freed
        effort.byteCountSinceMove += freed
      } while effort.byteCountSinceMove < goal
    } catch {
      throw .collection(error)
    }
  }

  private mutating func moveTogether(
    _ byteCount: Int, _ effort: inout EvictionEffort
  ) throws(PersistentCollectionError) -> Bool {
    guard effort.moveCount < EvictionEffort.moveLimit else { return false }
    effort.moveCount += 1
    return try map.makeRoom(forByteCount: byteCount)
  }

  /// Evicts neighbouring entries, whenever they were used.
  ///
  /// - Returns: whether any entry was evicted.
  private mutating func evictWhatIsInTheWay(
    ofByteCount byteCount: Int, _ effort: inout EvictionEffort
  ) throws(PersistentCollectionError) -> Bool {
    guard effort.moveCount < EvictionEffort.moveLimit else { return false }
    effort.moveCount += 1
    var keys: [[UInt8]] = []
    try map.forEachEvictionCandidate(freeing: byteCount) { key, _, _ in keys.append(key.array) }
    // Without a deadline, what is in the way stays.
    if settings.policy.needsDeadline {
      var kept: [[UInt8]] = []
      for key in keys where try hasDeadline(key.rawSpan) { kept.append(key) }
      keys = kept
    }
    for key in keys where try remove(key.rawSpan) { figures.evictedCount &+= 1 }
    // What is left there, overflow buckets, can move.
    _ = try map.makeRoom(forByteCount: byteCount)
    return !keys.isEmpty
  }

  /// Evicts until the entries take no more than they may: they can after the limit was lowered.
  ///
  /// - Throws: as Redis refuses a command then.
  mutating func evictToLimit() throws(CommandError) {
    var effort = EvictionEffort()
    while map.storageByteCount > map.storageByteLimit {
      try makeRoom(forByteCount: Self.extentByteCount, after: .limitReached, &effort)
    }
  }

  /// The unit in which the map takes memory.
  private static var extentByteCount: Int { 1 << 20 }

  /// Evicts for a while what is too much.
  ///
  /// - Returns: whether the entries still take too much.
  public mutating func evictSurplus(atMost limit: Int) -> Bool {
    guard settings.policy != .noeviction, map.storageByteCount > map.storageByteLimit else {
      return false
    }
    for _ in 0..<limit {
      guard let freed = try? evictOne(), freed > 0 else { return false }
    }
    // What was evicted gives memory back once it is one piece.
    _ = try? map.makeRoom(forByteCount: Self.extentByteCount)
    return map.storageByteCount > map.storageByteLimit
  }

  /// Evicts the entry that was not used for longest, of those that were looked at.
  ///
  /// - Returns: the bytes of its key and its value, or `nil` if it found no entry.
  private mutating func evictOne() throws(PersistentCollectionError) -> Int? {
    // What is in the pool may be gone, or have been used since.
    for _ in 0..<4 * EvictionPool.countLimit {
      try fillPool()
      guard let candidate = pool.take() else { return nil }
      let key = candidate.key.rawSpan
      let clock = accessClock
      let settings = settings
      let found = try map.withValue(of: key) {
        (rank: Self.rank(of: $1, at: clock, settings), byteCount: $0.byteCount)
      }
      guard let found, let rank = found.rank,
        rank == candidate.clock || settings.policy.isRandom
      else { continue }
      let byteCount = found.byteCount
      if try remove(key) {
        figures.evictedCount &+= 1
        return key.byteCount + byteCount
      }
    }
    return nil
  }

  private mutating func fillPool() throws(PersistentCollectionError) {
    guard !settings.policy.needsDeadline || deadlineCount > 0 else { return pool.clear() }
    var seen = 0
    var pool = pool
    let clock = accessClock
    let settings = settings
    // Every sample of a map that is not empty gives an entry. Where only some have a deadline, more are looked
    // at, as many as it takes to find some of those on average.
    let share = settings.policy.needsDeadline ? UInt64(map.count) / max(deadlineCount, 1) : 0
    for _ in 0..<UInt64(settings.sampleCount) &* min(share &+ 1, 1000) {
      guard seen < settings.sampleCount, map.count > 0 else { break }
      try map.sample(using: &generator) { key, _, metadata in
        guard let rank = Self.rank(of: metadata, at: clock, settings) else { return }
        seen += 1
        if pool.wants(rank) { pool.offer(EvictionPool.Candidate(key: key.array, clock: rank)) }
      }
    }
    self.pool = pool
  }

  /// The rank of an entry: the entry with the lowest rank is evicted first, one with the rank `nil` never.
  private static func rank(
    of metadata: EntryMetadata, at clock: UInt64, _ settings: Settings
  ) -> UInt64? {
    guard !settings.policy.needsDeadline || metadata.deadline != 0 else { return nil }
    switch settings.policy {
    case .allkeysLFU, .volatileLFU: return UInt64(metadata.decayedUseCount(at: clock, settings))
    case .volatileTTL: return metadata.deadline
    case .allkeysRandom, .volatileRandom: return 0
    default: return metadata.lastAccess
    }
  }
}
