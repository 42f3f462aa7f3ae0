package import MemoryAccess

extension RadixTree {
  /// Moves nodes to other pages, all but the root, whose address the device tree contains.
  ///
  /// A page is copied, then linked with one store, and only then is the old one given back: a process
  /// that is killed at any point leaves the tree whole.
  ///
  /// - Parameter newPage: takes a page for the node at the given address from `frames`, or returns nil
  ///   where the node is to stay.
  /// - Returns: the number of nodes moved.
  /// - Precondition: no other thread uses the tree.
  /// - Complexity: O(nodes · page size).
  @inline(never)
  @discardableResult
  package mutating func moveNodes<Frames: FrameSource & ~Copyable>(
    using frames: inout Frames,
    _ newPage: (PhysicalAddress, inout Frames) -> PhysicalAddress?
  ) -> UInt64 {
    forgetPaths()
    var movedCount: UInt64 = 0
    moveNodesBelow(root, level: geometry.rootLevel, using: &frames, newPage, &movedCount)
    return movedCount
  }

  private func moveNodesBelow<Frames: FrameSource & ~Copyable>(
    _ node: PhysicalAddress, level: Int, using frames: inout Frames,
    _ newPage: (PhysicalAddress, inout Frames) -> PhysicalAddress?, _ movedCount: inout UInt64
  ) {
    guard level > 0 else { return }
    var index = 0
    while true {
      let (slot, word) = withNode(node) { words in
        let slot = words.firstIndex(from: index, notAll: false)
        return (slot, slot < words.count ? words.load(slot) : 0)
      }
      guard word != 0 else { return }
      index = slot &+ 1
      var child = PhysicalAddress(word)
      if let page = newPage(child, &frames) {
        memory.copyPages(from: child, to: page, wordCount: geometry.page.pageWordCount)
        withNode(node) { $0.publish(page.rawValue, at: slot) }
        frames.giveBack(child)
        child = page
        movedCount &+= 1
      }
      moveNodesBelow(child, level: level &- 1, using: &frames, newPage, &movedCount)
    }
  }
}
