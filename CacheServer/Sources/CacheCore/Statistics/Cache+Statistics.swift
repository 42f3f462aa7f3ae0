internal import PersistentCollections
internal import ProcessHandover
public import RESP

// Each function reads one part of the cache: see ``Cache`` for the reason.

extension Cache {
  /// Writes the sections that `INFO [section …]` asks for.
  public func writeInfo(
    _ request: borrowing Request, _ facts: ServerFacts, _ reply: inout ReplyWriter
  ) {
    var names: [String] = []
    for index in 1..<max(request.count, 1) { names.append(request[index].text.lowercased()) }
    reply.verbatim(statistics(facts).info(names))
  }

  /// All figures, as a page in the text format of Prometheus.
  ///
  /// - Complexity: O(number of databases and of commands).
  public func metrics(_ facts: ServerFacts) -> String { statistics(facts).metricsPage }

  /// A copy of all figures.
  func statistics(_ facts: ServerFacts) -> CacheStatistics {
    var statistics = CacheStatistics(
      facts: facts, settings: settings, now: now, figures: figures, timing: timing,
      memcached: memcachedFigures)
    readStart(into: &statistics)
    readMemory(into: &statistics)
    readLimits(into: &statistics)
    for index in 0..<Databases.count { addDatabase(index, to: &statistics) }
    addMemcachedDatabase(to: &statistics)
    return statistics
  }

  private func readStart(into statistics: inout CacheStatistics) {
    statistics.start = start
    statistics.upgradeCount = upgradeCount
    statistics.crashCount = crashCount
    statistics.generation = generation
  }

  private func readMemory(into statistics: inout CacheStatistics) {
    statistics.byteCount = byteCount
    statistics.peakByteCount = max(peakByteCount, statistics.byteCount)
    statistics.fileByteCount = map.memory.byteCount
    statistics.storedByteCount = storedByteCount
  }

  private func readLimits(into statistics: inout CacheStatistics) {
    statistics.isOnDisk = isOnDisk
    statistics.damagedValueCount = damagedValueCount
    statistics.byteLimit = byteLimit
    statistics.containerByteLimit = containerByteLimit
    statistics.slowCount = slowCommands.count
    statistics.evictedItemCount = evictedItemCount
  }

  private func addDatabase(_ index: Int, to statistics: inout CacheStatistics) {
    statistics.databases.append(database(databases.storedNumber(of: index), named: "db\(index)"))
  }

  private func addMemcachedDatabase(to statistics: inout CacheStatistics) {
    statistics.databases.append(database(Databases.memcached, named: "memcached"))
  }

  private func database(_ number: UInt8, named name: String) -> CacheStatistics.Database {
    CacheStatistics.Database(
      name: name, keyCount: entryCount(number), expiringCount: deadlineCount(number))
  }
}
