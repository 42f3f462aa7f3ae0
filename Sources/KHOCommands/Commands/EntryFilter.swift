internal import KexecHandover

/// Which entries to list.
struct EntryFilter {
  let order: PageOrder?
  let addresses: PhysicalRange?

  /// The part of `run` whose blocks pass; nil when none does.
  func apply(to run: BlockRun, in geometry: PageGeometry) -> BlockRun? {
    if let order, order != run.order { return nil }
    guard let addresses else { return run }
    let size = geometry.blockByteCount(run.order)
    guard let shared = run.range(in: geometry).intersection(addresses), let last = shared.last
    else { return nil }
    let first = (shared.start.rawValue - run.address.rawValue) / size
    let final = (last.rawValue - run.address.rawValue) / size
    return BlockRun(
      address: run.address.advanced(byBytes: first * size), order: run.order,
      blockCount: final - first + 1)
  }
}

extension HandoverSurvey {
  /// Calls `body` with the runs that pass, by address; ends early when the output is no longer read.
  func forEachRun(
    in memory: MemoryImage, _ filter: EntryFilter, _ body: (BlockRun) -> Void
  ) {
    struct Stop: Error {}
    let console = Console.current
    try? pages?.forEachRun(in: memory) { (run) throws(Stop) in
      guard console.isWritable else { throw Stop() }
      if let run = filter.apply(to: run, in: geometry) { body(run) }
    }
  }

  /// Calls `body` with the entries that pass, sorted by address, then by order.
  func forEachBlock(
    in memory: MemoryImage, _ filter: EntryFilter, _ body: (PhysicalBlock) -> Void
  ) {
    forEachRun(in: memory, filter) { run in
      let size = geometry.blockByteCount(run.order)
      for index in 0..<run.blockCount {
        body(
          PhysicalBlock(
            address: PhysicalAddress(run.address.rawValue &+ index &* size), order: run.order))
      }
    }
  }
}
