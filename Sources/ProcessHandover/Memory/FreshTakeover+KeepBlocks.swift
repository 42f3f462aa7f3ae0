import Handover
public import MemoryAccess
public import PreservedPages

// Until `finish()`, the predecessor's handover is the valid one, so many blocks are kept without the record of a
// change: a process that is killed in between leaves what its predecessor left.

extension FreshTakeover {
  /// Keeps blocks without a name, each as an entry of its own: all of them, or nothing has changed.
  ///
  /// The fast way for many blocks. Blocks of one order that follow each other in `blocks` and in memory cost
  /// the words of their bits, 64 blocks each.
  ///
  /// - Throws: as ``keep(_:)-(PhysicalBlock)`` of a block that cannot be kept, also of one that `blocks`
  ///   names twice.
  /// - Complexity: O(blocks + runs · (orders in use + levels)).
  @inlinable
  public mutating func keep(_ blocks: some Collection<PhysicalBlock>) throws(PreservedMemoryError) {
    var keptCount = 0
    do throws(PreservedMemoryError) {
      var runs = BlockRuns(of: blocks, in: geometry)
      while let run = runs.next() {
        try keep(run)
        keptCount += Int(run.blockCount)
      }
    } catch {
      for block in blocks.prefix(keptCount) { takeBack(block) }
      prune()
      throw error
    }
  }

  @usableFromInline
  var geometry: PageGeometry { incoming.geometry }

  /// Takes back that a block was kept.
  @usableFromInline
  mutating func takeBack(_ block: PhysicalBlock) {
    // Nothing of it was preserved before.
    try? memory.outgoing.unpreserve(block)
    incoming.takeBack(block, into: &memory.frames)
  }

  /// Frees the empty nodes of the handover that is being built.
  @usableFromInline
  mutating func prune() { memory.outgoing.prune(into: &memory.frames) }

  /// Keeps blocks of one order that follow each other; nothing has changed on an error.
  @usableFromInline
  mutating func keep(_ run: BlockRun) throws(PreservedMemoryError) {
    guard run.blockCount > 1 else { return try keep(run.firstBlock) }
    try restore { (incoming, frames) throws(IncomingHandoverError) in
      try incoming.restore(run, from: &frames)
    }
    do throws(PreservedMemoryError) {
      try memory.withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
        try outgoing.preserve(run, from: &frames)
      }
    } catch {
      run.forEachBlock(in: incoming.geometry) { incoming.takeBack($0, into: &memory.frames) }
      throw error
    }
  }
}

/// Joins blocks that follow each other into runs.
@usableFromInline
struct BlockRuns<Blocks: Collection<PhysicalBlock>> {
  @usableFromInline
  let geometry: PageGeometry
  @usableFromInline
  var blocks: Blocks.Iterator
  /// The first block that is not in a run yet.
  @usableFromInline
  var ahead: PhysicalBlock?

  @inlinable
  init(of blocks: Blocks, in geometry: PageGeometry) {
    self.geometry = geometry
    self.blocks = blocks.makeIterator()
    ahead = self.blocks.next()
  }

  /// The next run; nil after the last.
  @inlinable
  mutating func next() -> BlockRun? {
    guard let first = ahead else { return nil }
    var blockCount: UInt64 = 1
    ahead = blocks.next()
    // `keep` refuses an order that is larger than that of any block.
    guard first.order <= geometry.maximumOrder else {
      return BlockRun(address: first.address, order: first.order, blockCount: 1)
    }
    let size = geometry.blockByteCount(first.order)
    while let block = ahead, block.order == first.order,
      block.address.rawValue == first.address.rawValue &+ blockCount &* size,
      block.address > first.address
    {
      blockCount &+= 1
      ahead = blocks.next()
    }
    return BlockRun(address: first.address, order: first.order, blockCount: blockCount)
  }
}
