internal import PersistentCollections
internal import RESP

extension Cache {
  /// `SAVE`, `BGSAVE`, `LASTSAVE`, `TIME`.
  ///
  /// What is written is in the memory file at every instant, so there is nothing to save, and the last
  /// time that it was is now.
  mutating func performSaving(
    _ command: Command, _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    switch command {
    case .save: reply.ok()
    case .bgsave:
      guard request.count == 1 || (request.count == 2 && request[1].isWord("schedule")) else {
        throw .syntax
      }
      reply.simple("Background saving started")
    case .lastsave: reply.integer(Int64(now / 1000))
    case .time:
      let time = Self.currentMicroseconds()
      reply.array(2)
      reply.bulk(String(time / 1_000_000))
      reply.bulk(String(time % 1_000_000))
    default: preconditionFailure("\(command.name) is not carried out")
    }
  }

  /// `FLUSHALL [ASYNC | SYNC]`, and `FLUSHDB` of the database with that stored number.
  mutating func flush(
    _ request: borrowing Request, _ number: UInt8?, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard
      request.count == 1
        || (request.count == 2 && (request[1].isWord("sync") || request[1].isWord("async")))
    else { throw .syntax }
    try removeAll(of: number)
    reply.ok()
  }

  /// Removes all entries, or those of a database. All go in one step; those of one database of several go
  /// one by one.
  mutating func removeAll(of number: UInt8?) throws(CommandError) {
    if let number, entryCount(number) < UInt64(map.count) {
      try removeEach(of: number)
    } else {
      if !watches.isEmpty {
        var gone: Set<[UInt8]> = []
        watches.touch { key in
          // Asked of the map below, where nothing else has it.
          gone.insert(key)
          return false
        }
        for key in gone where try deadline(at: key.rawSpan) != nil { watches.touch(key) }
      }
      do throws(PersistentCollectionError) {
        // Killed after that, the next process finds a number for a map that is empty: see
        // `deadlineCount(in:_:)`.
        try map.removeAll()
      } catch {
        throw .collection(error)
      }
      deadlineCount = 0
      ledger.end(deadlineCount: 0, in: &map.memory)
      databases.clear()
    }
    pool.clear()
    giveStorageBack()
  }

  private mutating func removeEach(of number: UInt8) throws(CommandError) {
    var cursor: UInt64 = 0
    do throws(PersistentCollectionError) {
      repeat {
        var keys: [[UInt8]] = []
        let next = try map.scan(from: cursor) { key, _, _ in
          if Databases.number(of: key) == number { keys.append(key.array) }
        }
        for key in keys { try remove(key.rawSpan) }
        cursor = next
      } while cursor != 0
    } catch {
      throw .collection(error)
    }
  }

  /// `WAIT replicas timeout`: this server has no replicas.
  mutating func wait(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    _ = try Self.integer(request[1])
    guard let timeout = Int64(decimal: request[2]) else {
      throw .sentence("ERR timeout is not an integer or out of range")
    }
    guard timeout >= 0 else { throw .sentence("ERR timeout is negative") }
    reply.integer(0)
  }
}
