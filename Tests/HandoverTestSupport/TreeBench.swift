package import MemoryAccess
import MemoryImages
package import PreservedPages

/// A tree, the frames it is made of, and the memory they are in.
///
///     0x100_0000                                             0x100_0000 + byteCount
///     │ margin │ pool: the nodes                             │ margin │
///
/// What the tree marks is only numbers: those blocks need no memory, and `memory` claims all other
/// addresses. The margins have no owner, so that a test can see that they stay as they are.
package struct TreeBench: ~Copyable {
  /// The shape of the tree.
  package let geometry: RadixGeometry
  /// Where the nodes are.
  package let memory: ClaimingMemory
  /// Where the nodes come from.
  package var frames: FailingFrameSource<ClaimingMemory>
  /// The tree, empty at first.
  package var tree: RadixTree<ClaimingMemory>

  /// Where all benches' memory starts.
  package static var start: UInt64 { 0x100_0000 }

  /// A tree of `geometry` with room for about `nodeCount` nodes.
  package init(_ geometry: RadixGeometry, nodeCount: Int = 4096, claiming: [PhysicalRange]? = nil)
    throws
  {
    let memory = try Self.memory(geometry.page, nodeCount: nodeCount, claiming: claiming)
    var frames = Self.frames(of: memory, geometry.page)
    let tree = try RadixTree(in: memory, geometry: geometry, from: &frames)
    self.geometry = geometry
    self.memory = memory
    self.frames = frames
    self.tree = tree
  }

  /// A tree of the usual shape for pages of `2^shift` bytes.
  package init(shift: Int, nodeCount: Int = 4096) throws {
    try self.init(RadixGeometry(PageGeometry(shift: shift)), nodeCount: nodeCount)
  }

  /// Memory for `nodeCount` nodes and the margins.
  package static func memory(
    _ page: PageGeometry, nodeCount: Int, claiming: [PhysicalRange]? = nil
  ) throws -> ClaimingMemory {
    let frameCount = nodeCount + 2 * marginFrameCount
    let byteCount = UInt64(frameCount * page.pageByteCount)
    return ClaimingMemory(
      try AnonymousMemory(PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)),
      claiming: claiming)
  }

  /// A pool of the frames between the margins.
  package static func frames(
    of memory: ClaimingMemory, _ page: PageGeometry
  ) -> FailingFrameSource<ClaimingMemory> {
    let margin = UInt64(marginFrameCount * page.pageByteCount)
    let inner = PhysicalRange(
      start: PhysicalAddress(start + margin), byteCount: memory.byteCount - 2 * margin)
    return FailingFrameSource(FramePool(of: inner, in: memory, geometry: page))
  }

  private static var marginFrameCount: Int { 8 }

  /// Marks the key of that number.
  @discardableResult
  package mutating func insert(_ key: UInt64) throws -> Bool {
    try tree.insert(RadixKey(rawValue: key), from: &frames)
  }

  /// Marks all of `keys`.
  package mutating func insertAll(_ keys: some Sequence<UInt64>) throws {
    for key in keys { try insert(key) }
  }

  /// Unmarks the key of that number.
  @discardableResult
  package mutating func remove(_ key: UInt64) -> Bool {
    tree.remove(RadixKey(rawValue: key))
  }

  /// Frees the empty nodes.
  @discardableResult
  package mutating func prune() -> UInt64 {
    tree.prune(into: &frames)
  }

  /// Goes on with a new value for the same tree, as a process does that finds it in memory.
  package mutating func adoptAgain() {
    tree = RadixTree(adopting: tree.root, in: memory, geometry: geometry)
  }

  /// Gives back every node; nothing of the bench may be used after it but ``frames``.
  package mutating func destroyTree() -> UInt64 {
    RadixTree(adopting: tree.root, in: memory, geometry: geometry).destroy(into: &frames)
  }

  /// The tree, read the slow way.
  package var reference: ReferenceTree {
    ReferenceTree(
      in: memory, shift: geometry.page.shift, root: tree.root,
      countsOrderBit: !geometry.dropsOrderZeroBit)
  }

  /// What a stranger finds.
  package var survey: PreservedPagesSurvey { PreservedPagesSurvey(tree.reader) }
}
