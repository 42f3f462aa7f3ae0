public import MemoryAccess

extension OutgoingHandover where Anchor: ~Copyable {
  /// Preserves an area that a predecessor wrote, blocks and chunks, as it is.
  ///
  /// - Throws: as ``preserve(_:from:)-(PhysicalBlock,_)``, ``OutgoingHandoverError/areaDamaged(_:)``.
  /// - Complexity: O(blocks · orders in use · levels).
  public mutating func preserve<Frames: FrameSource & ~Copyable>(
    _ area: VmallocArea, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    var change = HandoverChange()
    change.preserved.append(.area(area))
    try blocks.forEach(of: .area(area)) { (block) throws(OutgoingHandoverError) in
      try refuseUnpreservable(block)
    }
    try prepare(change, from: &frames)
    commit(change)
  }

  /// Stops preserving an area; blocks and chunks stay the owner's.
  ///
  /// - Throws: as ``unpreserve(_:into:)``.
  /// - Complexity: O(blocks · levels).
  public mutating func unpreserve(_ area: VmallocArea) throws(OutgoingHandoverError) {
    try unpreserve(item: .area(area))
  }
}
