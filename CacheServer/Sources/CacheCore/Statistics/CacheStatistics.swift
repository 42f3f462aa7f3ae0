/// The figures of one moment, from which `INFO`, memcached's `stats` and the page for Prometheus are written.
///
/// A copy, so that these texts are made outside of ``Cache``, which cannot be copied: the compiler takes minutes
/// for a long function of such a type.
struct CacheStatistics {
  /// The figures of one database.
  struct Database {
    var name: String
    var keyCount: UInt64
    var expiringCount: UInt64
  }

  var facts: ServerFacts
  var settings: Settings
  /// Milliseconds since 1970.
  var now: UInt64
  var figures: Figures
  var timing: Timing
  var memcached: MemcachedFigures
  /// Those that clients of Redis select, and at the end that of the memcached protocol.
  var databases: [Database] = []
  /// How many commands the slow log contains.
  var slowCount = 0
  /// Whether the memory file is on a disk.
  var isOnDisk = false
  /// Bytes that the entries take, and the most of them in this process.
  var byteCount: UInt64 = 0
  var peakByteCount: UInt64 = 0
  /// The size of the memory file, and the bytes that it takes of its file system.
  var fileByteCount: UInt64 = 0
  var storedByteCount: UInt64 = 0
  /// The bytes that the entries may take, and those of them that the container allows; the largest number for no
  /// limit.
  var byteLimit = UInt64.max
  var containerByteLimit = UInt64.max
  /// How the memory came to the process.
  var start = Cache.Start.created
  /// How many values did not match their checksums.
  var damagedValueCount: UInt64 = 0
  /// How many items of the memcached protocol were evicted since its figures began.
  var evictedItemCount: UInt64 = 0
  /// How often a process handed the memory over, and how often one was killed.
  var upgradeCount: UInt64 = 0
  var crashCount: UInt64 = 0
  /// How often the memory went from process to process.
  var generation: UInt64 = 0

  /// Microseconds, as seconds.
  static func seconds(_ microseconds: UInt64) -> String {
    let rest = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - rest.count))\(rest)"
  }
}
