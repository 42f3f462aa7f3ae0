import Handover
import MemoryAccess
import PreservedPages

// The nodes of the tree of entries are wherever a frame was free when they were needed. Once most memory is
// free again, they divide it: nodes that hold nothing are freed, and the others move to low addresses.

extension PreservedMemory {
  /// Makes the free memory less scattered, where an allocation of `frameCount` frames in one piece needs
  /// that: frees the nodes that hold nothing, and moves the device tree and the other nodes to the lowest
  /// addresses that are free.
  ///
  /// Each step leaves a sound handover. The root stays where it is.
  ///
  /// - Returns: whether anything has changed.
  /// - Complexity: O(nodes · page size); O(1) where nothing was allocated or freed since the last time.
  mutating func gather(forFrames frameCount: UInt64) -> Bool {
    guard !isGathered else { return false }
    isGathered = true
    let failure = frames.storageFailure
    defer { frames.storageFailure = failure }
    var hasChanged = pruneNodes() > 0
    guard frameCount > 1, frames.allocatableFrameCount >= frameCount else { return hasChanged }
    let deviceTree = outgoing.deviceTree
    if let block = frames.takeLowestBlock(deviceTree.order, below: deviceTree.address) {
      hasChanged = outgoing.moveDeviceTree(to: block, from: &frames) || hasChanged
    }
    if let spare = frames.spare, let block = takeSpare(spare.order, below: spare.address) {
      exchangeSpare(for: block)
      hasChanged = true
    }
    pruneNodes()
    let movedCount = outgoing.tree.moveNodes(using: &frames) { (node, frames) in
      frames.takeLowestBlock(.zero, below: node)?.address
    }
    return hasChanged || movedCount > 0
  }
}
