import Handover
import MemoryAccess
import PreservedPages

// Removing a name writes a new root device tree, which needs a block, and nodes of the tree for the block's bit. So
// one block of the device tree's size is set aside, and only a removal gets it, or its first part if the device
// tree needs less. The nodes for each of these sizes are in the tree. After the removal, the block of the device
// tree before it, whose nodes are in the tree too, is set aside.

extension PreservedMemory {
  /// What an operation needs frames for.
  enum FrameUse {
    /// For memory, or for nothing.
    case memory
    /// For memory, and for a device tree with one more name.
    case name(String)
    /// For a device tree with one name less.
    case removal
  }

  /// Calls `body`. If a removal found no frames, calls it again with the spare block. If a new name makes the
  /// device tree larger, sets a larger block aside first.
  ///
  /// - Precondition: if `body` throws `outOfFrames`, it has changed nothing.
  mutating func withSpare<Result>(
    for use: FrameUse,
    _ body: (inout Outgoing, inout FileFrames) throws(OutgoingHandoverError) -> Result
  ) throws(OutgoingHandoverError) -> Result {
    let former = outgoing.deviceTree
    switch use {
    case .memory:
      return try body(&outgoing, &frames)
    case .name(let name):
      let larger = try largerSpare(for: name)
      do throws(OutgoingHandoverError) {
        let result = try body(&outgoing, &frames)
        if let larger {
          exchangeSpare(for: larger)
          _ = prepare(outgoing.deviceTree)
        }
        keepSpare()
        return result
      } catch {
        if let larger { returnSpare(larger) }
        throw error
      }
    case .removal:
      defer { keepSpare(after: former) }
      do throws(OutgoingHandoverError) {
        return try body(&outgoing, &frames)
      } catch {
        guard case .outOfFrames = error, frames.spare != nil else { throw error }
      }
      frames.choice = .spare
      defer { frames.choice = .bestFit }
      return try body(&outgoing, &frames)
    }
  }

  /// Sets a block of the device tree's size aside, unless one is already, or a second handover is being built.
  ///
  /// In memory that an older version filled to the last frame, no block is free; then a later call sets one
  /// aside.
  ///
  /// - Parameter former: the block in which the device tree was, which may be free now.
  mutating func keepSpare(after former: PhysicalBlock? = nil) {
    let order = outgoing.deviceTree.order
    guard !outgoing.anchor.state.isBuildingNext, frames.isReady, frames.spare?.order != order
    else { return }
    // An operation does not fail because no block could be set aside.
    let failure = frames.storageFailure
    if let former, former.order == order, former != outgoing.deviceTree,
      frames.takeStored(FrameRange(former, in: geometry)) != nil
    {
      exchangeSpare(for: former)
      _ = prepare(former)
    } else if let block = takeSpare(order) {
      exchangeSpare(for: block)
    }
    frames.storageFailure = failure
  }

  /// Makes the spare block free.
  mutating func dropSpare() {
    if let spare = frames.spare.take() { frames.giveBack(spare, in: geometry) }
  }

  /// Sets `block` aside, and frees the one that was set aside before.
  mutating func exchangeSpare(for block: PhysicalBlock) {
    dropSpare()
    frames.spare = block
  }

  /// Takes a block for a device tree, and the nodes that mark it.
  mutating func takeSpare(
    _ order: PageOrder, below limit: PhysicalAddress? = nil
  ) -> PhysicalBlock? {
    let taken =
      limit == nil
      ? frames.takeBlock(order) : frames.takeLowestBlock(order, below: limit)
    guard let block = taken else { return nil }
    guard prepare(block) else {
      frames.giveBack(block, in: geometry)
      return nil
    }
    return block
  }

  /// Frees the empty nodes, except those for the spare block and the device tree.
  ///
  /// - Returns: the number of nodes freed.
  @discardableResult
  mutating func pruneNodes() -> UInt64 {
    let freedCount = outgoing.prune(into: &frames)
    // The nodes that were just freed suffice.
    if let spare = frames.spare, !prepare(spare) { dropSpare() }
    _ = prepare(outgoing.deviceTree)
    return freedCount
  }

  /// Makes the nodes that mark `block`, or the first part of it; returns false if frames for them are missing.
  private mutating func prepare(_ block: PhysicalBlock) -> Bool {
    do throws(RadixTreeError) {
      for part in parts(of: block) {
        try outgoing.tree.prepare(RadixKey(part, in: geometry), from: &frames)
      }
      return true
    } catch {
      return false
    }
  }

  private mutating func returnSpare(_ block: PhysicalBlock) {
    frames.giveBack(block, in: geometry)
    for part in parts(of: block) {
      outgoing.tree.prune(along: RadixKey(part, in: geometry), into: &frames)
    }
    if let spare = frames.spare { _ = prepare(spare) }
  }

  /// The block, and the blocks of each smaller order that start where it does.
  private func parts(of block: PhysicalBlock) -> [PhysicalBlock] {
    (0...Int(block.order.rawValue)).reversed().map {
      PhysicalBlock(address: block.address, order: PageOrder($0))
    }
  }

  /// Takes a block of the size that the device tree will have with one more name; nil if that size stays the
  /// same.
  private mutating func largerSpare(
    for name: String
  ) throws(OutgoingHandoverError) -> PhysicalBlock? {
    guard frames.spare != nil,
      let order = outgoing.deviceTreeOrder(addingSubtreeNamed: name),
      order > outgoing.deviceTree.order
    else { return nil }
    guard let block = takeSpare(order) else { throw .outOfFrames(frameCount: order.frameCount) }
    return block
  }
}
