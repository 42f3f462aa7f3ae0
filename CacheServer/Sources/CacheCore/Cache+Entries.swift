internal import PersistentCollections
internal import RESP

// What all commands do with an entry. An entry whose time has come is gone for every command, and goes
// from the map when one meets it.

extension Cache {
  /// Calls `body` with the value and the deadline of the entry at `key`.
  ///
  /// - Parameter touches: whether the call counts as a use of the entry.
  /// - Parameter checks: whether to compare the value with its checksum; `false` if `body` does not read the value.
  /// - Returns: what `body` returns, or `nil` if the cache does not contain the key.
  @inline(__always)
  mutating func withValue<Result>(
    of key: RawSpan, touches: Bool = true, checks: Bool = true,
    _ body: (RawSpan, UInt64) -> Result
  ) throws(CommandError) -> Result? {
    try withEntry(of: key, touches: touches && !isNotTouching, checks: checks) {
      body($0, $1.deadline)
    }
  }

  /// Calls `body` with the value and the metadata of the entry at `key`.
  ///
  /// - Parameter touches: whether the call counts as a use of the entry, if `body` returns a result.
  /// - Parameter checks: whether to compare the value with its checksum; `false` if `body` does not read the value.
  /// - Returns: what `body` returns, or `nil` if the cache does not contain the key.
  /// - Throws: ``CommandError/damagedValue`` for a value that does not match its checksum.
  @inline(__always)
  mutating func withEntry<Result>(
    of key: RawSpan, touches: Bool, checks: Bool = true,
    _ body: (RawSpan, inout EntryMetadata) -> Result?
  ) throws(CommandError) -> Result? {
    let now = now
    let accessClock = accessClock
    let uses = countsUses && touches ? UseCount(settings, random: generator.next()) : nil
    var isOver = false
    var isDamaged = false
    var result: Result?
    do throws(PersistentCollectionError) {
      _ = try map.withValue(of: key) { stored, metadata in
        guard !metadata.isOver(at: now) else {
          isOver = true
          return
        }
        let isChecked = checks && metadata.hasChecksum
        guard let value = ValueChecksum.content(of: stored, isChecked: isChecked) else {
          isDamaged = true
          return
        }
        result = body(value, &metadata)
        if touches, result != nil { metadata.noteUse(at: accessClock, uses) }
      }
      if isOver { try removeExpired(key) }
    } catch {
      throw .collection(error)
    }
    if isDamaged {
      damagedValueCount &+= 1
      throw .damagedValue
    }
    return result
  }

  /// The same for commands that only read: counts a hit or a miss.
  @inline(__always)
  mutating func withValueRead<Result>(
    of key: RawSpan, touches: Bool = true, checks: Bool = true,
    _ body: (RawSpan, UInt64) -> Result
  ) throws(CommandError) -> Result? {
    let result = try withValue(of: key, touches: touches, checks: checks, body)
    if result == nil { figures.missCount &+= 1 } else { figures.hitCount &+= 1 }
    return result
  }

  /// The deadline of the entry at `key`: 0 for an entry that does not expire, `nil` for an unknown key.
  mutating func deadline(at key: RawSpan) throws(CommandError) -> UInt64? {
    try withEntry(of: key, touches: false, checks: false) { _, metadata in metadata.deadline }
  }

  /// Whether the entry in the map has a deadline, past or not.
  mutating func hasDeadline(_ key: RawSpan) throws(PersistentCollectionError) -> Bool {
    // Most caches have no deadlines, and need not look.
    guard deadlineCount > 0 else { return false }
    return try map.withValue(of: key) { $1.deadline != 0 } ?? false
  }

  /// Stores an entry by calling `change`. If memory is short, moves or evicts other entries and calls it again.
  ///
  /// - Parameter byteCount: the bytes of key and value, for which room is made.
  /// - Parameter change: gives the entry at `key` the metadata that it gets and returns whether the entry is new, or
  ///   throws and changes nothing.
  @inline(__always)
  mutating func store(
    at key: RawSpan, deadline: UInt64, byteCount: Int,
    _ change: (
      inout PersistentByteMap, EntryMetadata
    ) throws(PersistentCollectionError) -> Bool
  ) throws(CommandError) {
    var metadata = EntryMetadata(deadline: deadline, lastAccess: accessClock)
    if countsUses { metadata.useCount = try useCount(at: key) ?? UseCount.initial }
    markCounts(key)
    var effort = EvictionEffort()
    while true {
      do throws(PersistentCollectionError) {
        let had = try hasDeadline(key)
        let has = deadline != 0
        var isNew = false
        if had == has {
          isNew = try change(&map, metadata)
        } else {
          try changeDeadlines(
            to: had ? deadlineCount &- 1 : deadlineCount &+ 1, witness: key, hadDeadline: had
          ) { (map) throws(PersistentCollectionError) in isNew = try change(&map, metadata) }
        }
        databases.count(key, entries: isNew ? 1 : 0, deadlines: (has ? 1 : 0) - (had ? 1 : 0))
        touchWatches(key)
        return
      } catch {
        try makeRoom(forByteCount: byteCount, after: error, &effort)
      }
    }
  }

  /// Stores `value` at `key`.
  @inline(__always)
  mutating func store(
    _ value: RawSpan, at key: RawSpan, deadline: UInt64 = 0
  ) throws(CommandError) {
    let isChecked = settings.checksValues
    try store(at: key, deadline: deadline, byteCount: key.byteCount &+ value.byteCount) {
      (map, metadata) throws(PersistentCollectionError) in
      try map.setValue(value, of: key, metadata: metadata, isChecked: isChecked)
    }
  }

  /// Gives the entry at `key` another deadline. The map contains the entry.
  mutating func setDeadline(_ deadline: UInt64, of key: RawSpan) throws(CommandError) {
    try store(at: key, deadline: deadline, byteCount: 0) {
      (map, metadata) throws(PersistentCollectionError) in
      _ = try map.withValue(of: key) { _, stored in
        let hasChecksum = stored.hasChecksum
        stored = metadata
        stored.hasChecksum = hasChecksum
      }
      return false
    }
  }

  /// Removes the entry at `key`.
  ///
  /// - Returns: whether the map contained it.
  @discardableResult
  mutating func remove(_ key: RawSpan) throws(PersistentCollectionError) -> Bool {
    markCounts(key)
    let had = try hasDeadline(key)
    if had {
      try changeDeadlines(
        to: deadlineCount &- 1, witness: key, hadDeadline: true
      ) { (map) throws(PersistentCollectionError) in try map.removeValue(of: key) }
    } else {
      guard try map.removeValue(of: key) else { return false }
    }
    databases.count(key, entries: -1, deadlines: had ? -1 : 0)
    touchWatches(key)
    return true
  }

  /// The same for a command.
  @discardableResult
  mutating func delete(_ key: RawSpan) throws(CommandError) -> Bool {
    do throws(PersistentCollectionError) { return try remove(key) } catch {
      throw .collection(error)
    }
  }

  /// Removes the entry at `key`, whose time has come.
  mutating func removeExpired(_ key: RawSpan) throws(PersistentCollectionError) {
    // Writing commands wait for the end of the pause, so the entry waits as well.
    guard pause == .none else { return }
    if try remove(key) { figures.expiredCount &+= 1 }
  }

  /// Calls `change`, which gives the entry at `key` a deadline or removes it, and stores the new number of
  /// deadlines. After a crash, both have changed or neither has.
  mutating func changeDeadlines(
    to count: UInt64, witness key: RawSpan, hadDeadline: Bool,
    _ change: (inout PersistentByteMap) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    guard key.byteCount <= PersistentByteMap.keyByteLimit else { throw .tooLarge }
    ledger.begin(
      witness: key, with: hadDeadline ? deadlineCount : count,
      without: hadDeadline ? count : deadlineCount, in: &map.memory)
    do throws(PersistentCollectionError) { try change(&map) } catch {
      ledger.end(deadlineCount: deadlineCount, in: &map.memory)
      throw error
    }
    deadlineCount = count
    ledger.end(deadlineCount: count, in: &map.memory)
  }

  /// How often the entry at `key` was used, as ``UseCount`` counts, or `nil` for an unknown key.
  mutating func useCount(at key: RawSpan) throws(CommandError) -> UInt8? {
    let clock = accessClock
    let settings = settings
    do throws(PersistentCollectionError) {
      return try map.withValue(of: key) { $1.decayedUseCount(at: clock, settings) }
    } catch {
      throw .collection(error)
    }
  }

  /// When the entry at `key` was used last, or `nil` for an unknown key.
  mutating func lastAccess(of key: RawSpan) throws(CommandError) -> UInt64? {
    do throws(PersistentCollectionError) {
      return try map.withValue(of: key) { $1.lastAccess }
    } catch {
      throw .collection(error)
    }
  }
}
