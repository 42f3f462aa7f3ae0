internal import PersistentCollections
public import ProcessHandover
internal import RESP

/// The cache: entries in a memory file, and the commands on them.
///
/// The memory file contains everything that must survive: the map with keys, values, deadlines and access times,
/// and the ``CacheLedger``. Opening it reads a few words, whatever the number of entries.
///
/// Keep functions that only read the cache to one expression, or move them to a copyable part, as
/// ``CacheStatistics`` or ``CommandTable``: for a noncopyable type the compiler checks each field in each branch,
/// which takes minutes in a long function.
///
/// One thread at a time. The time does not advance between two calls of ``beginBatch(at:)``.
public struct Cache: ~Copyable {
  /// What ``perform(_:_:_:)`` leaves to the caller.
  public enum Outcome: Equatable, Sendable {
    /// The reply is written.
    case done
    /// The reply is written, and the connection is to be closed.
    case close
    /// The command is about the server: nothing is written.
    case forServer(Command)
  }

  /// How the memory came to the process.
  public enum Start: String, Sendable {
    /// The file is new.
    case created
    /// The previous server has ended, or was killed.
    case adopted
    /// The previous server has handed it over.
    case upgrade
    /// A successor did not get as far as serving, and this process has it again.
    case resumed
  }

  var map: PersistentByteMap
  let ledger: CacheLedger
  let table = CommandTable()
  /// The databases, whose entries are in the map.
  var databases = Databases()
  /// The databases as the ledger contains them.
  var storedDatabases = Databases()
  /// Whether the ledger marks its counts as invalid, because they are changing.
  var areCountsMarked = false
  /// Keys that clients watch.
  var watches = WatchTable()
  /// How often commands came, and how long they took.
  var timing = Timing()
  var slowCommands = SlowLog()
  /// What the memcached protocol counts.
  var memcachedFigures = MemcachedFigures()
  /// How many entries were evicted before its figures began.
  var memcachedEvictedBase: UInt64 = 0
  /// The last CAS number of an item.
  var casCounter: UInt64 = 0
  /// When all of its items go, in milliseconds since 1970; 0 for never.
  var memcachedFlushTime: UInt64 = 0
  /// Whether the present command does not count as a use of what it reads.
  var isNotTouching = false
  /// Whether uses are counted, and not only the last one kept.
  var countsUses = false
  /// Which commands wait, and for how long the server lets them.
  public var pause = Pause.none

  /// What is counted; stored by ``endBatch()``.
  public var figures: Figures
  /// How many entries have a deadline.
  var deadlineCount: UInt64
  /// The milliseconds since 1970 at which the batch began.
  public internal(set) var now: UInt64
  /// How far the clock of accesses is ahead of ``now``: as far as the clock of the machine was set back.
  var clockSkew: UInt64 = 0
  /// The clock by which entries are compared, in milliseconds. It never goes back, whatever happens to the
  /// clock of the machine, so an entry that was used later always has the larger number.
  var accessClock: UInt64 { now &+ clockSkew }
  /// How many times this process read a value that does not match its checksum.
  var damagedValueCount: UInt64 = 0
  var generator = SystemSeededGenerator()
  var pool = EvictionPool()
  /// When memory was tidied last, and whether that found nothing to do.
  var tidyTime: UInt64 = 0
  var tidyFoundNothing = false
  /// Where the search for entries whose time has come goes on.
  var expiryCursor: UInt64 = 0
  /// The most bytes that the entries have taken in this process.
  var peakByteCount: UInt64 = 0

  /// How the memory came to this process.
  public let start: Start
  /// How often the memory was handed from process to process.
  public let generation: UInt64
  /// How often that was an upgrade, and how often one was killed.
  public let upgradeCount: UInt64, crashCount: UInt64

  /// How many bytes the entries may take in the container that the process is in.
  public var containerByteLimit: UInt64 = .max {
    didSet { applySettings() }
  }
  /// Whether the memory file is on a disk, to which `SAVE` writes it.
  public var isOnDisk = false

  /// Returns what `CONFIG GET` gives and `CONFIG SET` cannot change.
  public var fixedParameters: @Sendable () -> [(name: String, value: String)] = { [] }

  /// What can be set.
  public var settings: Settings {
    didSet { applySettings() }
  }

  /// Opens the cache in `memory`, or makes one in new memory.
  ///
  /// - Parameter start: ``Start/upgrade`` or ``Start/resumed`` if the memory came that way; otherwise the file
  ///   itself records whether it is new.
  /// - Throws: ``CacheOpenError``.
  /// - Complexity: O(1).
  public init(
    in memory: consuming PreservedMemory, by start: Start = .adopted,
    settings: Settings = Settings()
  ) throws(CacheOpenError) {
    var memory = memory
    let ledger = try CacheLedger(in: &memory)
    let origin = memory.origin
    var map: PersistentByteMap
    do throws(PersistentCollectionError) {
      map = try PersistentByteMap.open(memory, named: "cache")
    } catch {
      throw .map(error)
    }
    let wasServed = ledger.load(.isServed, in: map.memory) != 0
    var upgradeCount = ledger.load(.upgrades, in: map.memory)
    var crashCount = ledger.load(.crashes, in: map.memory)
    switch start {
    case .upgrade: upgradeCount += 1
    case .resumed: break
    case .created, .adopted: if wasServed { crashCount += 1 }
    }
    ledger.store(upgradeCount, at: .upgrades, in: &map.memory)
    ledger.store(crashCount, at: .crashes, in: &map.memory)
    ledger.store(1, at: .isServed, in: &map.memory)
    // Before a file of the old layout gets new keys: the witness is one of the old ones.
    let deadlineCount = try Self.deadlineCount(in: &map, ledger)
    let databases = try Self.databases(in: &map, ledger)
    self.deadlineCount = deadlineCount
    self.databases = databases
    storedDatabases = databases
    figures = ledger.figures(in: map.memory)
    casCounter = ledger.load(.casCounter, in: map.memory)
    memcachedFlushTime = ledger.load(.memcachedFlush, in: map.memory)
    memcachedEvictedBase = figures.evictedCount
    self.start = start == .adopted && origin == .created ? .created : start
    self.generation = map.memory.generation
    self.upgradeCount = upgradeCount
    self.crashCount = crashCount
    self.settings = settings
    self.ledger = ledger
    self.map = map
    now = Self.currentTime()
    let accessClock = ledger.load(.accessClock, in: self.map.memory)
    if accessClock > now, accessClock < 1 << 48 { clockSkew = accessClock - now }
    applySettings()
  }

  /// How many entries have a deadline, after whatever happened.
  private static func deadlineCount(
    in map: inout PersistentByteMap, _ ledger: CacheLedger
  ) throws(CacheOpenError) -> UInt64 {
    // Everything may have been removed at once, and the number not stored any more.
    guard map.count > 0 else {
      ledger.end(deadlineCount: 0, in: &map.memory)
      return 0
    }
    guard let key = try ledger.witnessKey(in: map.memory) else {
      return ledger.load(.deadlines, in: map.memory)
    }
    let hasDeadline: Bool
    do throws(PersistentCollectionError) {
      hasDeadline = try map.withValue(of: key.rawSpan) { $1.deadline != 0 } ?? false
    } catch {
      throw .map(error)
    }
    let count = ledger.load(
      hasDeadline ? .deadlinesWithWitness : .deadlinesWithoutWitness, in: map.memory)
    ledger.end(deadlineCount: count, in: &map.memory)
    return count
  }

  /// Ends, and gives the memory to the next server.
  public consuming func close() -> PreservedMemory {
    ledger.store(figures, accessClock: accessClock, in: &map.memory)
    storeDatabases()
    ledger.store(0, at: .isServed, in: &map.memory)
    return map.close()
  }

  // MARK: Figures

  /// The number of entries, with those that have expired and were not removed yet.
  public var count: Int { map.count }
  /// How many bytes of the file the entries take.
  public var byteCount: UInt64 { map.storageByteCount }

  private mutating func applySettings() {
    map.storageByteLimit = byteLimit
    countsUses = settings.policy.isByFrequency
    timing.slowMicroseconds =
      settings.slowMicroseconds < 0 ? .max : UInt64(settings.slowMicroseconds)
    slowCommands.shorten(to: settings.slowLogLength)
  }
}
