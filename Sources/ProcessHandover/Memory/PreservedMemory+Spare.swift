import Handover
import MemoryAccess
import PreservedPages

// Removing a name writes a new root device tree, which needs a block, and nodes that lead to its bit. So
// one block of the device tree's size is set aside, and only a removal gets it, or its first part where the
// device tree needs less. The nodes for each of these sizes are in the tree. The block of the device tree
// before the removal, whose nodes are there too, is then set aside in turn.

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

  /// Calls `body`; again with the spare block where a removal found no frames; and with a larger one set
  /// aside first where a name is about to make the device tree larger.
  ///
  /// - Precondition: where `body` throws `outOfFrames`, it has changed nothing.
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
      frames.lendsSpare = true
      defer { frames.lendsSpare = false }
      return try body(&outgoing, &frames)
    }
  }

  /// Sets a block of the device tree's size aside, if there is none yet.
  ///
  /// In memory that is full to the last frame, as older versions left it, there is none to set aside; then
  /// it is done as soon as there is one.
  ///
  /// - Parameter former: the block in which the device tree was, which may be free now.
  mutating func keepSpare(after former: PhysicalBlock? = nil) {
    let order = outgoing.deviceTree.order
    guard keepsSpare, frames.isReady, frames.spare?.order != order else { return }
    // That there is none is not why an operation fails.
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

  /// Sets `block` aside, and frees the one that was.
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

  /// Frees the nodes that hold nothing, but those of the spare block and the device tree's.
  ///
  /// - Returns: the number of nodes freed.
  @discardableResult
  mutating func pruneNodes() -> UInt64 {
    let freedCount = outgoing.prune(into: &frames)
    // What was just freed suffices.
    if let spare = frames.spare, !prepare(spare) { dropSpare() }
    _ = prepare(outgoing.deviceTree)
    return freedCount
  }

  /// Makes the nodes that mark `block` or the first part of it; returns whether there are frames for them.
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

  /// A block of the size that the device tree will have with one more name, where that is a larger size.
  private mutating func largerSpare(
    for name: String
  ) throws(OutgoingHandoverError) -> PhysicalBlock? {
    guard keepsSpare, frames.spare != nil,
      let order = outgoing.deviceTreeOrder(addingSubtreeNamed: name),
      order > outgoing.deviceTree.order
    else { return nil }
    guard let block = takeSpare(order) else { throw .outOfFrames(frameCount: order.frameCount) }
    return block
  }
}
