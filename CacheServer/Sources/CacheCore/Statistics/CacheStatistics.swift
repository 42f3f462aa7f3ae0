/// The figures of one moment, for `INFO`, memcached's `stats`, `MEMORY DOCTOR` and the page for Prometheus.
///
/// A copy, so that long functions can read it: see ``Cache`` for the reason.
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
  /// The databases that clients of Redis select, and last that of the memcached protocol.
  var databases: [Database] = []
  /// How many commands the slow log contains.
  var slowCount = 0
  /// Whether the memory file is on a disk.
  var isOnDisk = false
  /// The bytes that the entries take, and the most that they took in this process.
  var byteCount: UInt64 = 0
  var peakByteCount: UInt64 = 0
  /// The size of the memory file, and the bytes that it takes of its file system.
  var fileByteCount: UInt64 = 0
  var storedByteCount: UInt64 = 0
  /// The most bytes that the entries may take, and the most that the container allows; `UInt64.max` without a limit.
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

  /// How long the process serves, in seconds.
  var uptime: UInt64 { (now &- min(facts.startTime, now)) / 1000 }

  /// ``byteLimit`` as clients expect it: 0 without a limit.
  var shownByteLimit: UInt64 { byteLimit == .max ? 0 : byteLimit }

  /// Microseconds as text in seconds, with six decimals.
  static func seconds(_ microseconds: UInt64) -> String {
    let rest = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - rest.count))\(rest)"
  }
}
