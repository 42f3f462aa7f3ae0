public import MemoryAccess

/// Blocks of one order, as a model places them in memory: in runs of equal length, spread evenly.
///
///     blocks that fit   0                                                capacity
///     runs              ├────┤      ├────┤      ├────┤      ├────┤      ├────┤
///                        blockCount / runCount each, give or take one
///
/// The first run begins at address 0 and the last one ends with memory; at least one block is free
/// between two. Every order is placed as if it were alone.
public struct PlannedBlocks: Hashable, Sendable {
  /// The order of the blocks.
  public let order: PageOrder
  /// Their number.
  public let blockCount: UInt64
  /// How many blocks of the order memory has room for.
  public let capacity: UInt64
  /// The number of runs.
  public let runCount: UInt64

  /// Places `blockCount` blocks of `order`.
  ///
  /// - Parameter order: the order of the blocks.
  /// - Parameter blockCount: their number.
  /// - Parameter capacity: how many of them memory has room for.
  /// - Parameter fragmentation: from 0, all blocks in one run, to 1, as many runs as possible.
  /// - Precondition: `blockCount` is in 1…`capacity`, `fragmentation` in 0…1.
  public init(order: PageOrder, blockCount: UInt64, capacity: UInt64, fragmentation: Double) {
    precondition(blockCount >= 1 && blockCount <= capacity, "blocks that do not fit")
    precondition(fragmentation >= 0 && fragmentation <= 1, "fragmentation outside 0…1")
    self.order = order
    self.blockCount = blockCount
    self.capacity = capacity
    let most = min(blockCount, capacity - blockCount + 1)
    let extra = (Double(most - 1) * fragmentation).rounded()
    // A Double has 53 bits, so near 2^63 the product may come out above.
    runCount = 1 + min(UInt64(extra), most - 1)
  }

  /// The first block of run `index`, and the block behind its last.
  public func run(_ index: UInt64) -> Range<UInt64> {
    let gaps = runCount == 1 ? 0 : share(capacity - blockCount, index, of: runCount - 1)
    let start = share(blockCount, index, of: runCount)
    let end = share(blockCount, index + 1, of: runCount)
    return start + gaps..<end + gaps
  }

  /// At least as many free blocks as are between any two neighbouring runs.
  public var largestGap: UInt64 {
    runCount == 1 ? 0 : (capacity - blockCount + runCount - 2) / (runCount - 1)
  }

  /// `total · index / count`, rounded down.
  private func share(_ total: UInt64, _ index: UInt64, of count: UInt64) -> UInt64 {
    let product = total.multipliedFullWidth(by: index)
    return count.dividingFullWidth(product).quotient
  }

  /// How many stretches of `2^log2BlockCount` blocks, counted from block `offset` before the first,
  /// hold a block of a run.
  ///
  /// - Complexity: O(stretches in memory), whatever the number of runs.
  public func touchedStretchCount(log2BlockCount: Int, offset: UInt64 = 0) -> UInt64 {
    let shift = UInt64(log2BlockCount)
    let first = (offset &+ run(0).lowerBound) &>> shift
    let last = (offset &+ run(runCount - 1).upperBound &- 1) &>> shift
    // No gap is large enough to leave out a whole stretch.
    if log2BlockCount >= 64 || largestGap < (1 as UInt64) << shift { return last - first + 1 }
    var count: UInt64 = 0
    var next = first
    for index in 0..<runCount {
      let run = run(index)
      let start = max((offset &+ run.lowerBound) &>> shift, next)
      let end = (offset &+ run.upperBound &- 1) &>> shift
      guard start <= end else { continue }
      count += end - start + 1
      next = end + 1
    }
    return count
  }
}
