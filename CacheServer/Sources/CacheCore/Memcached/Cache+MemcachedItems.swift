internal import MemcachedProtocol
internal import PersistentCollections
internal import ProcessHandover
internal import RESP

// What the commands of the memcached protocol do with an item.

extension Cache {
  /// Calls `body` with the item at `key` as the map stores it, and its metadata.
  ///
  /// - Parameter touches: whether the call counts as a use of the item.
  /// - Parameter checks: whether to compare the value with its checksum.
  /// - Returns: what `body` returns, or `nil` if the cache does not contain the key.
  @inline(__always)
  mutating func withItem<Result>(
    of key: RawSpan, touches: Bool, checks: Bool = true,
    _ body: (RawSpan, inout EntryMetadata) -> Result
  ) throws(CommandError) -> Result? {
    try withEntry(of: key, touches: touches, checks: checks) { value, metadata in
      // Memory that another program has written can contain anything.
      value.byteCount >= MemcachedItem.headerByteCount ? body(value, &metadata) : nil
    }
  }

  /// The item at `key` without its value, or `nil` for an unknown key.
  mutating func itemFacts(of key: RawSpan) throws(CommandError) -> ItemFacts? {
    // Without the check of the value, so that a client can replace or delete a damaged item.
    try withItem(of: key, touches: false, checks: false) { value, metadata in
      ItemFacts(
        flags: MemcachedItem.flags(of: value), cas: MemcachedItem.cas(of: value),
        deadline: metadata.deadline, marks: metadata.marks,
        byteCount: MemcachedItem.byteCount(of: value, metadata))
    }
  }

  /// When an item expires that a client stores with `time`, in milliseconds since 1970: 0 for never, `nil` for an
  /// item that has expired already.
  ///
  /// A `time` up to 30 days is in seconds from now on, a larger one in seconds since 1970: doc/protocol.txt.
  func itemDeadline(_ time: Int64) -> UInt64? { Self.itemDeadline(time, now: now) }

  private static func itemDeadline(_ time: Int64, now: UInt64) -> UInt64? {
    guard time != 0 else { return 0 }
    guard time > 0 else { return nil }
    let (milliseconds, overflow) = UInt64(time).multipliedReportingOverflow(by: 1000)
    // Far beyond what any clock counts.
    guard !overflow, milliseconds < 1 << 62 else { return 0 }
    guard time > 60 * 60 * 24 * 30 else { return now &+ milliseconds }
    return milliseconds > now ? milliseconds : nil
  }

  /// The seconds until `deadline`, rounded up; -1 for an item that does not expire.
  func remainingSeconds(_ deadline: UInt64) -> Int64 {
    Self.remainingSeconds(deadline, now: now)
  }

  /// The same at `now`, in milliseconds since 1970.
  static func remainingSeconds(_ deadline: UInt64, now: UInt64) -> Int64 {
    guard deadline != 0 else { return -1 }
    let milliseconds = deadline &- min(now, deadline)
    return Int64(clamping: milliseconds / 1000 + (milliseconds % 1000 > 0 ? 1 : 0))
  }

  /// A number that no item ever had, also not one of a process that was killed.
  private mutating func nextCAS() -> UInt64 {
    casCounter &+= 1
    ledger.store(casCounter, at: .casCounter, in: &map.memory)
    return casCounter
  }

  /// How a client wants an item stored.
  enum StoreMode {
    case set
    case add
    case replace
    case append
    case prepend
  }

  /// What became of that.
  enum StoreResult: Equatable {
    case stored(cas: UInt64)
    case notStored
    case exists
    case notFound
  }

  /// Stores an item.
  ///
  /// - Parameter deadline: nil for one that is over already.
  /// - Parameter cas: the number that the present item has to have.
  /// - Parameter invalidates: whether one with a larger number is replaced too, by an item that is stale.
  mutating func storeItem(
    _ mode: StoreMode, at key: RawSpan, _ data: RawSpan, flags: UInt32, deadline: UInt64?,
    cas: UInt64? = nil, invalidates: Bool = false
  ) throws(CommandError) -> StoreResult {
    if map.storageByteCount > map.storageByteLimit { try evictToLimit() }
    memcachedFigures.setCount &+= 1
    guard mode != .set || cas != nil else {
      return try putItem(at: key, data, flags: flags, deadline: deadline, marks: [])
    }
    let old = try itemFacts(of: key)
    var isStale = false
    if let cas {
      guard let old else {
        memcachedFigures.casMisses &+= 1
        return mode == .set
          ? .notFound
          : mode == .add
            ? try putItem(at: key, data, flags: flags, deadline: deadline, marks: []) : .notStored
      }
      if cas == old.cas {
        memcachedFigures.casHits &+= 1
      } else if invalidates, cas < old.cas {
        isStale = true
      } else {
        memcachedFigures.casMismatches &+= 1
        return mode == .add ? .notStored : .exists
      }
    }
    switch mode {
    case .add:
      guard old == nil else {
        // As if it was read.
        _ = try withItem(of: key, touches: true) { _, _ in }
        return .notStored
      }
    case .replace: guard old != nil else { return .notStored }
    case .append, .prepend:
      guard let old else { return .notStored }
      return try extendItem(old, at: key, data, isBehind: mode == .append)
    case .set: break
    }
    guard isStale, let old else {
      return try putItem(at: key, data, flags: flags, deadline: deadline, marks: [])
    }
    var marks = old.marks.intersection(.isAwarded)
    marks.insert(.isStale)
    return try putItem(at: key, data, flags: flags, deadline: old.deadline, marks: marks)
  }

  private mutating func extendItem(
    _ old: ItemFacts, at key: RawSpan, _ data: RawSpan, isBehind: Bool
  ) throws(CommandError) -> StoreResult {
    guard settings.fitsItem(keyByteCount: key.byteCount, old.byteCount + data.byteCount) else {
      memcachedFigures.tooLargeCount &+= 1
      throw .sentence("SERVER_ERROR object too large for cache")
    }
    let present = try withItem(of: key, touches: false) { value, _ in
      MemcachedItem.data(of: value).array
    }
    guard let present else { return .notStored }
    let marks = old.marks.subtracting(.isFetched)
    return isBehind
      ? try putItem(
        at: key, present.rawSpan, data, flags: old.flags, deadline: old.deadline, marks: marks)
      : try putItem(
        at: key, data, present.rawSpan, flags: old.flags, deadline: old.deadline, marks: marks)
  }

  mutating func putItem(
    at key: RawSpan, _ data: RawSpan, flags: UInt32, deadline: UInt64?, marks: ItemMarks
  ) throws(CommandError) -> StoreResult {
    try putItem(
      at: key, data, data.extracting(first: 0), flags: flags, deadline: deadline, marks: marks)
  }

  /// Puts an item in the place of what is there.
  private mutating func putItem(
    at key: RawSpan, _ first: RawSpan, _ second: RawSpan, flags: UInt32, deadline: UInt64?,
    marks: ItemMarks
  ) throws(CommandError) -> StoreResult {
    let cas = nextCAS()
    memcachedFigures.storedCount &+= 1
    guard let deadline else {
      try delete(key)
      return .stored(cas: cas)
    }
    let byteCount = MemcachedItem.headerByteCount + first.byteCount + second.byteCount
    let isChecked = settings.checksValues
    try store(at: key, deadline: deadline, byteCount: key.byteCount + byteCount) {
      (map, metadata) throws(PersistentCollectionError) in
      var metadata = metadata
      metadata.marks = marks
      return try map.setValue(
        of: key, byteCount: byteCount, metadata: metadata, isChecked: isChecked
      ) {
        MemcachedItem.write(flags: flags, cas: cas, first, second, to: &$0)
      }
    }
    return .stored(cas: cas)
  }

  /// Gives the item at `key` another deadline; `nil` for one that has passed. The map contains the item.
  mutating func setItemDeadline(_ deadline: UInt64?, of key: RawSpan) throws(CommandError) {
    guard let deadline else {
      try delete(key)
      return
    }
    try store(at: key, deadline: deadline, byteCount: 0) {
      (map, _) throws(PersistentCollectionError) in
      _ = try map.withValue(of: key) { $1 = $1.with(deadline: deadline) }
      return false
    }
  }

  /// Marks the item at `key` as stale, with another CAS number.
  mutating func invalidateItem(
    _ old: ItemFacts, at key: RawSpan, deadline: UInt64?
  ) throws(CommandError) {
    let present = try withItem(of: key, touches: false) { value, _ in
      MemcachedItem.data(of: value).array
    }
    guard let present else { return }
    _ = try putItem(
      at: key, present.rawSpan, flags: old.flags, deadline: deadline, marks: .isStale)
  }

  /// What adding to a counter comes to.
  enum CountResult {
    case changed(value: UInt64, cas: UInt64, deadline: UInt64)
    case notFound
    case exists
    case notNumber
  }

  /// Adds to, or takes from, the number at `key`: a sum wraps around, a difference ends at 0.
  ///
  /// - Parameter lifetime: the new time to live; nil where it stays.
  mutating func countItem(
    at key: RawSpan, _ delta: UInt64, isIncrease: Bool, cas: UInt64? = nil, lifetime: Int64? = nil
  ) throws(CommandError) -> CountResult {
    if map.storageByteCount > map.storageByteLimit { try evictToLimit() }
    let found = try withItem(of: key, touches: true) { value, metadata in
      (
        number: UInt64(value: MemcachedItem.data(of: value)),
        flags: MemcachedItem.flags(of: value), cas: MemcachedItem.cas(of: value),
        deadline: metadata.deadline, marks: metadata.marks
      )
    }
    guard let found else {
      if isIncrease {
        memcachedFigures.increaseMisses &+= 1
      } else {
        memcachedFigures.decreaseMisses &+= 1
      }
      return .notFound
    }
    if let cas, cas != found.cas { return .exists }
    guard let old = found.number else { return .notNumber }
    if isIncrease {
      memcachedFigures.increaseHits &+= 1
    } else {
      memcachedFigures.decreaseHits &+= 1
    }
    let new = isIncrease ? old &+ delta : old - min(delta, old)
    let deadline = lifetime.map { itemDeadline($0) } ?? found.deadline
    let digits = Array(String(new).utf8)
    let result = try putItem(
      at: key, digits.rawSpan, flags: found.flags, deadline: deadline,
      marks: found.marks.subtracting(.isFetched))
    guard case .stored(let number) = result else { return .notFound }
    return .changed(value: new, cas: number, deadline: deadline ?? now)
  }

  // MARK: Removing all

  /// `flush_all`: removes all items, now or at `time`.
  mutating func flushItems(at time: UInt64?) throws(CommandError) {
    memcachedFlushTime = time ?? 0
    ledger.store(memcachedFlushTime, at: .memcachedFlush, in: &map.memory)
    if time == nil { try removeAll(of: Databases.memcached) }
  }

  /// Removes all items once the time has come that `flush_all` named.
  mutating func flushItemsIfDue() {
    guard memcachedFlushTime != 0, memcachedFlushTime <= now else { return }
    try? flushItems(at: nil)
  }
}
