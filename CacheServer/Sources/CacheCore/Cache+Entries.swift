internal import PersistentCollections
internal import RESP

// What all commands do with an entry. An entry whose time has come is gone for every command, and goes
// from the map when one meets it.

extension Cache {
  /// Calls `body` with the value and the deadline of the entry at `key`; nil where there is none.
  ///
  /// - Parameter touches: whether this is an access.
  @inline(__always)
  mutating func withValue<Result>(
    of key: RawSpan, touches: Bool = true, _ body: (RawSpan, UInt64) -> Result
  ) throws(CommandError) -> Result? {
    let now = now
    let accessClock = accessClock
    var isOver = false
    var result: Result?
    do throws(PersistentCollectionError) {
      _ = try map.withValue(of: key) { value, notes in
        guard !notes.isOver(at: now) else {
          isOver = true
          return
        }
        if touches { notes.lastAccess = accessClock }
        result = body(value, notes.deadline)
      }
      if isOver { try removeExpired(key) }
    } catch {
      throw .collection(error)
    }
    return result
  }

  /// The same for commands that only read, which are counted.
  @inline(__always)
  mutating func withValueRead<Result>(
    of key: RawSpan, touches: Bool = true, _ body: (RawSpan, UInt64) -> Result
  ) throws(CommandError) -> Result? {
    let result = try withValue(of: key, touches: touches, body)
    if result == nil { figures.missCount &+= 1 } else { figures.hitCount &+= 1 }
    return result
  }

  /// The deadline of the entry at `key`, 0 where it has none; nil where there is no entry.
  mutating func deadline(at key: RawSpan) throws(CommandError) -> UInt64? {
    try withValue(of: key, touches: false) { _, deadline in deadline }
  }

  /// Whether the entry in the map has a deadline, past or not.
  mutating func hasDeadline(_ key: RawSpan) throws(PersistentCollectionError) -> Bool {
    // Most caches have no deadlines, and need not look.
    guard deadlineCount > 0 else { return false }
    return try map.withValue(of: key) { $1.deadline != 0 } ?? false
  }

  /// Calls `change`, which gives the entry at `key` the notes it is called with, or throws and changes
  /// nothing. Where memory is short, others move or are evicted, and it is called again.
  ///
  /// - Parameter byteCount: the bytes of key and value, for which there has to be room.
  @inline(__always)
  mutating func store(
    at key: RawSpan, deadline: UInt64, byteCount: Int,
    _ change: (
      inout PersistentByteMap, EntryNotes
    ) throws(PersistentCollectionError) -> Void
  ) throws(CommandError) {
    let notes = EntryNotes(deadline: deadline, lastAccess: accessClock)
    var effort = EvictionEffort()
    while true {
      do throws(PersistentCollectionError) {
        let had = try hasDeadline(key)
        guard had != (deadline != 0) else { return try change(&map, notes) }
        let count = had ? deadlineCount &- 1 : deadlineCount &+ 1
        try changeDeadlines(
          to: count, witness: key, hadDeadline: had
        ) { (map) throws(PersistentCollectionError) in try change(&map, notes) }
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
    try store(at: key, deadline: deadline, byteCount: key.byteCount &+ value.byteCount) {
      (map, notes) throws(PersistentCollectionError) in
      try map.setValue(value, of: key, notes: notes)
    }
  }

  /// Gives the entry at `key`, which there is, another deadline.
  mutating func setDeadline(_ deadline: UInt64, of key: RawSpan) throws(CommandError) {
    try store(at: key, deadline: deadline, byteCount: 0) {
      (map, notes) throws(PersistentCollectionError) in
      _ = try map.withValue(of: key) { $1 = notes }
    }
  }

  /// Removes the entry at `key`.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  mutating func remove(_ key: RawSpan) throws(PersistentCollectionError) -> Bool {
    guard try hasDeadline(key) else { return try map.removeValue(of: key) }
    try changeDeadlines(
      to: deadlineCount &- 1, witness: key, hadDeadline: true
    ) { (map) throws(PersistentCollectionError) in try map.removeValue(of: key) }
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
    if try remove(key) { figures.expiredCount &+= 1 }
  }

  /// Calls `change`, which gives the entry at `key` a deadline or takes it away, and counts that; both
  /// are there after a crash, or neither.
  mutating func changeDeadlines(
    to count: UInt64, witness key: RawSpan, hadDeadline: Bool,
    _ change: (inout PersistentByteMap) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    guard key.byteCount <= PersistentByteMap.keyByteLimit else { throw .tooLarge }
    books.begin(
      witness: key, with: hadDeadline ? deadlineCount : count,
      without: hadDeadline ? count : deadlineCount, in: &map.memory)
    do throws(PersistentCollectionError) { try change(&map) } catch {
      books.end(deadlineCount: deadlineCount, in: &map.memory)
      throw error
    }
    deadlineCount = count
    books.end(deadlineCount: count, in: &map.memory)
  }

  /// When the entry at `key` was used last; nil where there is none.
  mutating func lastAccess(of key: RawSpan) throws(CommandError) -> UInt64? {
    do throws(PersistentCollectionError) {
      return try map.withValue(of: key) { $1.lastAccess }
    } catch {
      throw .collection(error)
    }
  }
}
