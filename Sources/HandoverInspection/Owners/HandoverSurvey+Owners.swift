public import Handover
public import MemoryAccess
import PreservedPages

extension HandoverSurvey {
  /// Calls `body` with all preserved memory, in runs that each have one owner or none.
  ///
  /// The runs have as many bytes, and as many entries, as the handover: each is counted once, also
  /// where two claim it. They come by address; where entries overlap, which no sound handover has,
  /// the bytes are those of each entry.
  ///
  /// - Parameters:
  ///   - body: called with what was found.
  ///   - memory: the memory that was surveyed.
  ///   - claimLimit: how many stretches of claimed memory are kept at a time, some 100 bytes each.
  ///     Where there are more, the records are read again for each as many, and the runs are the
  ///     same.
  /// - Throws: the error of `body`, which ends the walk.
  /// - Precondition: `claimLimit` is 1 or more.
  /// - Complexity: O(bytes of the records · log leaves · orders in use + runs · log claims), times
  ///   1 + claims / `claimLimit`.
  public func forEachOwnedRun<Memory: PhysicalMemory, Failure: Error>(
    in memory: Memory, claimLimit: Int = OwnerAccounts.defaultClaimLimit,
    _ body: (OwnedRun) throws(Failure) -> Void
  ) throws(Failure) {
    _ = try forEachNumberedRun(
      in: memory, claimLimit: claimLimit, passesOverUnclaimed: false
    ) { (run, table) throws(Failure) in
      try body(run.named(by: table))
    }
  }

  /// Who has the preserved memory: the sums over ``forEachOwnedRun(in:claimLimit:_:)``.
  ///
  /// - Precondition: `claimLimit` is 1 or more.
  /// - Complexity: as that.
  public func owners<Memory: PhysicalMemory>(
    in memory: Memory, claimLimit: Int = OwnerAccounts.defaultClaimLimit
  ) -> OwnerAccounts {
    var accounts = OwnerAccounts()
    let passed = forEachNumberedRun(
      in: memory, claimLimit: claimLimit, passesOverUnclaimed: true
    ) { run, table in accounts.add(run, table) }
    accounts.addUnowned(entryCount: passed.entryCount, byteCount: passed.byteCount)
    return accounts
  }

  /// - Parameter passesOverUnclaimed: whether `body` need not be called for unclaimed entries.
  /// - Returns: how many entries were passed over, and how many bytes they have.
  private func forEachNumberedRun<Memory: PhysicalMemory, Failure: Error>(
    in memory: Memory, claimLimit: Int, passesOverUnclaimed: Bool,
    _ body: (NumberedRun, OwnerTable) throws(Failure) -> Void
  ) throws(Failure) -> (entryCount: UInt64, byteCount: UInt64) {
    var passed: (entryCount: UInt64, byteCount: UInt64) = (0, 0)
    guard let pages else { return passed }
    var table = OwnerTable(limit: OwnerAccounts.ownerLimit)
    var sweep = OwnerSweep(geometry)
    var start: UInt64? = 0
    while let from = start {
      var collector = ClaimCollector(
        memory, pages, table: table, window: ClaimWindow(start: from, limit: claimLimit))
      collector.claimRegistered(by: self)
      collector = readRecords(in: memory, collector)
      table = collector.table
      sweep.enter(&collector.window)
      let passes: (BlockStretch) -> Bool = { stretch in
        guard passesOverUnclaimed, let isInWindow = sweep.passes(over: stretch.range) else {
          return false
        }
        if isInWindow {
          passed.entryCount &+= stretch.blockCount
          passed.byteCount = passed.byteCount.addingSaturated(
            stretch.blockCount &* geometry.blockByteCount(stretch.order))
        }
        return true
      }
      try pages.forEachRun(in: memory, passingOver: passes) { (run) throws(Failure) in
        try sweep.visit(run) { (run) throws(Failure) in try body(run, table) }
      }
      start = collector.window.end
    }
    try sweep.finish { (run) throws(Failure) in try body(run, table) }
    return passed
  }
}
