internal import PersistentCollections
internal import ProcessHandover
internal import RESP

// After every batch, the ledger contains how many entries each database has. While these counts change, the ledger
// marks them as invalid; if the process is killed then, its successor counts the entries.

extension Cache {
  /// Reads the counts of the databases, or counts the entries if the ledger marks its counts as invalid.
  ///
  /// - Complexity: O(1), or O(entries) if a predecessor was killed while it changed an entry of another database
  ///   than the first.
  static func databases(
    in map: inout PersistentByteMap, _ ledger: CacheLedger
  ) throws(CacheOpenError) -> Databases {
    do throws(PersistentCollectionError) {
      if ledger.isOld(in: map.memory) { try prefixKeys(of: &map) }
      ledger.store(CacheLedger.version, at: .version, in: &map.memory)
      var databases = Databases()
      let numbers = ledger.load(.databaseNumbers, in: map.memory)
      // No other than the first was ever used.
      guard numbers != 0 else { return databases }
      if Set((0..<16).map { numbers >> UInt64($0 * 4) & 15 }).count == 16 {
        databases.numbers = numbers
      }
      if ledger.load(.areCountsValid, in: map.memory) == 1 {
        let counts = ledger.databaseCounts(in: map.memory)
        databases.setCounts(counts.entries, counts.deadlines)
        return databases
      }
      var cursor: UInt64 = 0
      repeat {
        cursor = try map.scan(from: cursor) { key, _, metadata in
          databases.count(key, entries: 1, deadlines: metadata.deadline == 0 ? 0 : 1)
        }
      } while cursor != 0
      return databases
    } catch {
      throw .map(error)
    }
  }

  /// Puts a byte in front of those keys of the old layout that begin with the byte of another database.
  ///
  /// A bit of each entry records that its key has changed. If the process is killed half-way, its successor changes
  /// the other keys. Keys with more leading zeros change first, because the new key of an entry can equal the old
  /// key of an entry with one more zero.
  ///
  /// - Parameter limit: the most keys to change; a test stops half-way with it.
  static func prefixKeys(
    of map: inout PersistentByteMap, atMost limit: Int = .max
  ) throws(PersistentCollectionError) {
    var keys: [[UInt8]] = []
    var cursor: UInt64 = 0
    repeat {
      cursor = try map.scan(from: cursor) { key, _, metadata in
        guard key.byteCount > 0, key[0] < Databases.firstPlainByte, !metadata.isOfNewLayout else {
          return
        }
        keys.append(key.array)
      }
    } while cursor != 0
    func zeroCount(_ key: [UInt8]) -> Int { key.prefix { $0 == 0 }.count }
    keys.sort { zeroCount($0) > zeroCount($1) }
    for key in keys.prefix(limit) {
      let found = try map.withValue(of: key.rawSpan) { ($0.array, $1) }
      guard let (value, oldMetadata) = found else { continue }
      var metadata = oldMetadata
      metadata.isOfNewLayout = true
      let new = Databases.key(key.rawSpan, in: 0)
      let newMetadata = metadata
      try map.transaction { (map) throws(PersistentCollectionError) in
        try map.removeValue(of: key.rawSpan)
        try map.setValue(value.rawSpan, of: new.rawSpan, metadata: newMetadata)
      }
    }
  }

  /// Marks the counts in the ledger as invalid, before an entry of another database than the first changes.
  @inline(__always)
  mutating func markCounts(_ key: RawSpan) {
    guard Databases.number(of: key) != 0, !areCountsMarked else { return }
    ledger.store(databases.numbers, at: .databaseNumbers, in: &map.memory)
    ledger.store(0, at: .areCountsValid, in: &map.memory)
    areCountsMarked = true
  }

  /// Stores the counts if they have changed.
  mutating func storeDatabases() {
    guard areCountsMarked || databases != storedDatabases else { return }
    ledger.store(databases, in: &map.memory)
    storedDatabases = databases
    areCountsMarked = false
  }

  // MARK: Commands

  /// `SWAPDB index index`: one word changes.
  mutating func swapDatabases(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard let first = Int64(decimal: request[1]) else {
      throw .sentence("ERR invalid first DB index")
    }
    guard let second = Int64(decimal: request[2]) else {
      throw .sentence("ERR invalid second DB index")
    }
    let range = 0..<Int64(Databases.count)
    guard range.contains(first), range.contains(second) else {
      throw .sentence("ERR DB index is out of range")
    }
    let numbers = [first, second].map { databases.storedNumber(of: Int($0)) }
    databases.swap(Int(first), Int(second))
    storeDatabases()
    watches.touch { numbers.contains(Databases.number(of: $0.rawSpan)) }
    reply.ok()
  }

  /// `MOVE key index`.
  mutating func move(
    _ request: borrowing Request, from database: Int, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let target = try databaseIndex(request[2])
    guard target != database else {
      throw .sentence("ERR source and destination objects are the same")
    }
    let new = Databases.key(
      Databases.name(of: request[1]), in: databases.storedNumber(of: target))
    guard try deadline(at: request[1]) != nil, try deadline(at: new.rawSpan) == nil else {
      reply.integer(0)
      return
    }
    try relocate(request[1], to: new.rawSpan)
    reply.integer(1)
  }

  /// `COPY source destination [DB index] [REPLACE]`.
  mutating func copy(
    _ request: borrowing Request, in database: Int, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    var target = database
    var replaces = false
    var index = 3
    while index < request.count {
      if request[index].isWord("replace") {
        replaces = true
      } else if request[index].isWord("db"), index + 1 < request.count {
        index += 1
        target = try databaseIndex(request[index])
      } else {
        throw .syntax
      }
      index += 1
    }
    let new = Databases.key(
      Databases.name(of: request[2]), in: databases.storedNumber(of: target))
    guard !new.rawSpan.hasSameBytes(as: request[1]) else {
      throw .sentence("ERR source and destination objects are the same")
    }
    let found = try withValueRead(of: request[1], touches: false) { ($0.array, $1) }
    guard let (value, deadline) = found else {
      reply.integer(0)
      return
    }
    if try self.deadline(at: new.rawSpan) != nil, !replaces {
      reply.integer(0)
      return
    }
    try store(value.rawSpan, at: new.rawSpan, deadline: deadline)
    reply.integer(1)
  }

  private func databaseIndex(_ argument: RawSpan) throws(CommandError) -> Int {
    guard let index = Int64(decimal: argument) else {
      throw .sentence("ERR value is not an integer or out of range")
    }
    guard (0..<Int64(Databases.count)).contains(index) else {
      throw .sentence("ERR DB index is out of range")
    }
    return Int(index)
  }

  /// `RENAME key new`, `RENAMENX key new`.
  mutating func rename(
    _ request: borrowing Request, onlyIfNew: Bool, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let key = request[1]
    let new = request[2]
    guard try withValueRead(of: key, touches: false, checks: false, { _, _ in true }) != nil else {
      throw .sentence("ERR no such key")
    }
    let isSame = key.hasSameBytes(as: new)
    if onlyIfNew {
      guard !isSame, try deadline(at: new) == nil else {
        reply.integer(0)
        return
      }
    }
    if !isSame {
      _ = try deadline(at: new)
      try relocate(key, to: new)
    }
    if onlyIfNew { reply.integer(1) } else { reply.ok() }
  }

  private static func relocate(
    _ key: RawSpan, to new: RawSpan, _ value: [UInt8], _ metadata: EntryMetadata,
    in map: inout PersistentByteMap
  ) throws(PersistentCollectionError) {
    try map.transaction { (map) throws(PersistentCollectionError) in
      try map.removeValue(of: key)
      try map.setValue(value.rawSpan, of: new, metadata: metadata)
    }
  }

  /// Gives an entry another key, in one step: a process that is killed leaves it under one of the two.
  private mutating func relocate(_ key: RawSpan, to new: RawSpan) throws(CommandError) {
    let found: ([UInt8], EntryMetadata)?
    do throws(PersistentCollectionError) {
      found = try map.withValue(of: key) { ($0.array, $1) }
    } catch {
      throw .collection(error)
    }
    guard let (value, metadata) = found else { return }
    markCounts(key)
    markCounts(new)
    var effort = EvictionEffort()
    while true {
      do throws(PersistentCollectionError) {
        let newHad = try hasDeadline(new)
        let isNew = try map.withValue(of: new) { _, _ in true } == nil
        if newHad {
          // One deadline is lost: the replaced one's.
          try changeDeadlines(
            to: deadlineCount &- 1, witness: metadata.deadline != 0 ? key : new, hadDeadline: true
          ) { (map) throws(PersistentCollectionError) in
            try Self.relocate(key, to: new, value, metadata, in: &map)
          }
        } else {
          try Self.relocate(key, to: new, value, metadata, in: &map)
        }
        let has = metadata.deadline != 0 ? 1 : 0
        databases.count(key, entries: -1, deadlines: -has)
        databases.count(new, entries: isNew ? 1 : 0, deadlines: has - (newHad ? 1 : 0))
        touchWatches(key)
        touchWatches(new)
        return
      } catch {
        try makeRoom(forByteCount: new.byteCount + value.count, after: error, &effort)
        // It may have been evicted.
        guard try deadline(at: key) != nil else { throw .sentence("ERR no such key") }
      }
    }
  }
}
