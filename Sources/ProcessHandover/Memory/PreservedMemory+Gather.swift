import Handover
import MemoryAccess
import PreservedPages

// Each node of the tree of entries is in the frame that was free when the node was needed. Once most memory is
// free again, the nodes divide it: empty nodes are freed, and the others move to low addresses.

extension PreservedMemory {
  /// Makes the free memory less scattered, if an allocation of `frameCount` frames in one piece needs that:
  /// frees the empty nodes, and moves the device tree and the other nodes to the lowest free addresses.
  ///
  /// Each step leaves a sound handover. The root stays where it is.
  ///
  /// - Returns: whether anything has changed.
  /// - Complexity: O(nodes · page size); O(1) if no frame was allocated or freed since the last call.
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
