public import MemoryAccess

extension PreservedPagesSurvey {
  /// Calls `body` with the entries as runs of one order, sorted by address and, where entries
  /// overlap, by order; one run follows another without a gap only where the order changes.
  ///
  /// Reads memory again, with the bits of one leaf for each order in use held at a time.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(leaves · page size + runs · orders in use).
  public func forEachRun<Memory: PhysicalMemory, Failure: Error>(
    in memory: Memory, _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    let read: BitmapReading = { memory.copyWords(of: $0, to: &$1) }
    var merger = RunMerger(runCursors(), geometry: geometry, read)
    while let run = merger.next(read) { try body(run) }
  }

  /// Calls `body` with the entries as ``forEachRun(in:_:)`` gives them, except for those in stretches for
  /// which `passes` returns true.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(leaves · page size + runs that are not passed over · orders in use).
  package func forEachRun<Memory: PhysicalMemory, Failure: Error>(
    in memory: Memory, passingOver passes: (BlockStretch) -> Bool,
    _ body: (BlockRun) throws(Failure) -> Void
  ) throws(Failure) {
    let read: BitmapReading = { memory.copyWords(of: $0, to: &$1) }
    var merger = RunMerger(runCursors(), geometry: geometry, read)
    while let run = merger.next(read, passingOver: passes) { try body(run) }
  }

  /// The entries as ``forEachRun(in:_:)`` gives them, one run at a time: for walks over two handovers
  /// at once.
  ///
  /// - Complexity: O(orders in use) here, and in all as that.
  public func runs<Memory: PhysicalMemory>(in memory: Memory) -> PreservedRuns<Memory> {
    PreservedRuns(runCursors(), in: memory, geometry: geometry)
  }

  /// Calls `body` with every entry, sorted by address, then by order.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(leaves · page size + entries + runs · orders in use).
  public func forEachBlock<Memory: PhysicalMemory, Failure: Error>(
    in memory: Memory, _ body: (PhysicalBlock) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachRun(in: memory) { (run) throws(Failure) in
      try run.forEachBlock(in: geometry, body)
    }
  }

  /// A cursor for each order in use.
  func runCursors() -> [BlockRunCursor] {
    var cursors: [BlockRunCursor] = []
    var start = bitmaps.startIndex
    while start < bitmaps.endIndex {
      let order = bitmaps[start].order
      let end = bitmaps[start...].firstIndex { $0.order != order } ?? bitmaps.endIndex
      cursors.append(BlockRunCursor(bitmaps[start..<end], geometry: geometry))
      start = end
    }
    return cursors
  }
}

extension BlockRun {
  /// The first block of the run.
  @inlinable
  public var firstBlock: PhysicalBlock { PhysicalBlock(address: address, order: order) }

  /// The blocks that sort before `limit`, and those that do not.
  func split(
    before limit: PhysicalBlock?, in geometry: PageGeometry
  ) -> (before: BlockRun?, rest: BlockRun?) {
    guard let limit else { return (self, nil) }
    guard firstBlock < limit else { return (nil, self) }
    let size = geometry.blockByteCount(order)
    let distance = limit.address.rawValue &- address.rawValue
    var count = distance / size
    if distance % size != 0 || order < limit.order { count &+= 1 }
    guard count < blockCount else { return (self, nil) }
    return (
      BlockRun(address: address, order: order, blockCount: count),
      BlockRun(
        address: PhysicalAddress(address.rawValue &+ count &* size), order: order,
        blockCount: blockCount &- count)
    )
  }
}
