internal import MemoryAccess
internal import ProcessHandover
internal import RESP

/// What the cache keeps in the memory file beside its entries: figures that survive, and how many
/// entries have a deadline.
///
///     word 0   magic, layout version      16   0, or 1 + bytes of the witness's key
///          2   figures                    17   entries with a deadline, if the witness has one
///         10   entries with a deadline    18   the same, if it has none
///         11   whether a process serves   20   entries of each database but the first, 17 words
///         12   the clock of accesses      40   those of them with a deadline, 17 words
///         13   whether 20 … are valid     57   the last CAS number
///         14   which database is which    58   when flush_all removes everything
///                                         64   the witness's key
///
/// The number of entries with a deadline changes together with an entry; after a crash, both have changed or
/// neither has. Before the entry changes, the ledger records its key as a witness, with the number for either case.
/// The process that opens the file looks up whether the witness has a deadline.
struct CacheLedger {
  static let name = "cache-server"
  static let magic: UInt64 = 0x3149_4843_4143_484b
  static let version: UInt64 = 2
  /// The map of a file of this version contains the keys of one database only: see ``Databases``.
  static let oldVersion: UInt64 = 1
  static let entryCountsStart = 20
  static let deadlineCountsStart = 40
  static let headerWordCount = 64
  static let byteCount = UInt64(headerWordCount * 8 + 65_536)

  /// The offset of a number in the header, in words of 8 bytes.
  enum Word: Int {
    case magic = 0
    case version = 1
    case commands = 2
    case hits = 3
    case misses = 4
    case expired = 5
    case evicted = 6
    case connections = 7
    case upgrades = 8
    case crashes = 9
    case deadlines = 10
    case isServed = 11
    case accessClock = 12
    case areCountsValid = 13
    case databaseNumbers = 14
    case witness = 16
    case deadlinesWithWitness = 17
    case deadlinesWithoutWitness = 18
    case casCounter = 57
    case memcachedFlush = 58
  }

  private let header: PhysicalRange
  private let witness: PhysicalRange

  /// Opens the ledger in `memory`, or makes one in new memory.
  ///
  /// - Throws: ``CacheOpenError``. Memory of another program is not written.
  init(in memory: inout PreservedMemory) throws(CacheOpenError) {
    let range = try Self.region(in: &memory)
    guard range.byteCount == Self.byteCount else { throw .ledgerDamaged }
    header = PhysicalRange(start: range.start, byteCount: UInt64(Self.headerWordCount * 8))
    witness = PhysicalRange(
      start: range.start.advanced(byBytes: header.byteCount),
      byteCount: range.byteCount - header.byteCount)
    guard load(.magic, in: memory) == Self.magic else { throw .ledgerDamaged }
    let version = load(.version, in: memory)
    guard version == Self.version || version == Self.oldVersion else {
      throw .unknownLayout(version)
    }
  }

  private static func region(
    in memory: inout PreservedMemory
  ) throws(CacheOpenError) -> PhysicalRange {
    do throws(PreservedMemoryError) {
      if let found = try memory.region(named: name) { return found }
    } catch {
      throw .memory(error)
    }
    let names: [String]
    do throws(PreservedMemoryError) { names = try memory.names() } catch { throw .memory(error) }
    guard names.isEmpty else { throw .foreign(names: names) }
    do throws(PreservedMemoryError) {
      return try memory.makeRegion(named: name, byteCount: byteCount) { bytes in
        bytes.storeBytes(of: magic, toByteOffset: 0, as: UInt64.self)
        bytes.storeBytes(of: version, toByteOffset: 8, as: UInt64.self)
      }
    } catch {
      throw .memory(error)
    }
  }

  // MARK: Numbers

  /// The number at `word`.
  func load(_ word: Word, in memory: borrowing PreservedMemory) -> UInt64 {
    memory.withBytes(of: header) {
      // SAFETY: the header holds the word, and every bit pattern is a number.
      unsafe $0.unsafeLoad(fromByteOffset: word.rawValue &* 8, as: UInt64.self)
    }
  }

  /// Whether the file has the layout of the version that knew one database.
  func isOld(in memory: borrowing PreservedMemory) -> Bool {
    load(.version, in: memory) == Self.oldVersion
  }

  /// The counts of databases.
  func databaseCounts(in memory: borrowing PreservedMemory) -> (
    entries: [UInt64], deadlines: [UInt64]
  ) {
    memory.withBytes(of: header) { bytes in
      func words(_ start: Int) -> [UInt64] {
        // SAFETY: the header holds the words, and every bit pattern is a number.
        (start..<start + 17).map {
          unsafe bytes.unsafeLoad(fromByteOffset: $0 * 8, as: UInt64.self)
        }
      }
      return (words(Self.entryCountsStart), words(Self.deadlineCountsStart))
    }
  }

  /// Stores the counts of the databases, and marks them as valid.
  func store(_ databases: Databases, in memory: inout PreservedMemory) {
    memory.withWords(of: header) {
      for index in 0..<17 {
        $0.publish(databases.entryCounts[index], at: Self.entryCountsStart + index)
        $0.publish(databases.deadlineCounts[index], at: Self.deadlineCountsStart + index)
      }
      $0.publish(databases.numbers, at: Word.databaseNumbers.rawValue)
      $0.publish(1, at: Word.areCountsValid.rawValue)
    }
  }

  /// Stores a number, whole.
  func store(_ value: UInt64, at word: Word, in memory: inout PreservedMemory) {
    memory.withWords(of: header) { $0.publish(value, at: word.rawValue) }
  }

  /// Stores the figures and the clock of accesses, each whole.
  func store(
    _ figures: Figures, accessClock: UInt64, in memory: inout PreservedMemory
  ) {
    memory.withWords(of: header) {
      $0.publish(figures.commandCount, at: Word.commands.rawValue)
      $0.publish(figures.hitCount, at: Word.hits.rawValue)
      $0.publish(figures.missCount, at: Word.misses.rawValue)
      $0.publish(figures.expiredCount, at: Word.expired.rawValue)
      $0.publish(figures.evictedCount, at: Word.evicted.rawValue)
      $0.publish(figures.connectionCount, at: Word.connections.rawValue)
      $0.publish(accessClock, at: Word.accessClock.rawValue)
    }
  }

  /// The figures as they were stored last.
  func figures(in memory: borrowing PreservedMemory) -> Figures {
    var figures = Figures()
    figures.commandCount = load(.commands, in: memory)
    figures.hitCount = load(.hits, in: memory)
    figures.missCount = load(.misses, in: memory)
    figures.expiredCount = load(.expired, in: memory)
    figures.evictedCount = load(.evicted, in: memory)
    figures.connectionCount = load(.connections, in: memory)
    return figures
  }

  // MARK: The witness

  /// Records the number of deadlines for both cases: the entry at `key` has a deadline, and it does not.
  /// The caller changes the entry next, and then the number.
  ///
  /// - Precondition: the key is not too long for a key.
  func begin(
    witness key: RawSpan, with withDeadline: UInt64, without: UInt64,
    in memory: inout PreservedMemory
  ) {
    memory.withMutableBytes(of: witness) { bytes in
      for index in 0..<key.byteCount {
        bytes.storeBytes(of: key[index], toByteOffset: index, as: UInt8.self)
      }
    }
    memory.withWords(of: header) {
      $0.publish(withDeadline, at: Word.deadlinesWithWitness.rawValue)
      $0.publish(without, at: Word.deadlinesWithoutWitness.rawValue)
      $0.publish(UInt64(key.byteCount) &+ 1, at: Word.witness.rawValue)
    }
  }

  /// Stores the number of deadlines, and forgets the witness.
  func end(deadlineCount: UInt64, in memory: inout PreservedMemory) {
    memory.withWords(of: header) {
      $0.publish(deadlineCount, at: Word.deadlines.rawValue)
      $0.publish(0, at: Word.witness.rawValue)
    }
  }

  /// The key of the witness, or `nil` if the last change is complete.
  ///
  /// - Throws: ``CacheOpenError/ledgerDamaged``.
  func witnessKey(in memory: borrowing PreservedMemory) throws(CacheOpenError) -> [UInt8]? {
    let word = load(.witness, in: memory)
    guard word > 0 else { return nil }
    guard word - 1 <= witness.byteCount else { throw .ledgerDamaged }
    return memory.withBytes(of: witness) { $0.extracting(0..<Int(word - 1)).array }
  }
}
