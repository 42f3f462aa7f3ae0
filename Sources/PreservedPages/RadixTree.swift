public import MemoryAccess

/// The tree that marks preserved blocks, live in the memory that it preserves.
///
///     root, level 5        level 4 … 1            leaf, level 0
///     ┌───────────┐      ┌───────────┐      ┌──────────────────────┐
///     │ address ──┼────► │ address ──┼────► │ bit, bit, bit, …     │
///     │ 0         │      │ …         │      │ one for each block   │
///     └───────────┘      └───────────┘      └──────────────────────┘
///      512 pointers       512 pointers       32,768 bits (4 KiB pages)
///
/// The tree is the state: no step finalizes it, and between any two stores the memory is a
/// valid handover. A new path is filled from the leaf up and linked by one aligned store; a key is
/// one bit of one word. A process killed at any point leaves the old or the new tree, and frames that
/// were taken but not linked are free again for a successor that reads it.
///
/// The value itself is only geometry, root, and the way to the word used last, so that keys that come
/// in order pay for the way from the root once for a leaf. It trusts what is in memory; for memory
/// that another program wrote there is ``RadixTreeReader``.
///
/// Node pages are not entries of the tree. A program that looks for free memory asks
/// ``RadixTree/forEachNode(_:)`` as well.
///
/// Source: `FormatTree.md`.
@frozen
@safe
public struct RadixTree<Memory: WritablePhysicalMemory>: ~Copyable {
  /// The memory the nodes are in.
  public let memory: Memory
  /// The shape of the tree.
  public let geometry: RadixGeometry
  /// The root node's page: the one number a successor needs.
  public let root: PhysicalAddress

  /// The word changed last.
  @usableFromInline
  var lastWord = RadixLastWord()
  /// The paths to the keys used last.
  @usableFromInline
  var cache: RadixPathCache

  /// Makes an empty tree: one node, the root.
  ///
  /// - Throws: ``RadixTreeError/outOfFrames(level:)`` when the source has no frame for the root.
  @inlinable
  public init<Frames: FrameSource & ~Copyable>(
    in memory: Memory, geometry: RadixGeometry, from frames: inout Frames
  ) throws(RadixTreeError) {
    guard let root = frames.takeFrame() else { throw .outOfFrames(level: geometry.rootLevel) }
    self.init(adopting: root, in: memory, geometry: geometry)
  }

  /// The tree whose root is at `root`.
  ///
  /// - Precondition: the tree is sound. One that comes from outside is checked first, with
  ///   ``RadixTreeReader``.
  @inlinable
  public init(adopting root: PhysicalAddress, in memory: Memory, geometry: RadixGeometry) {
    require(
      that: root != .zero && geometry.page.isPageAligned(root), "a root is a page, and not page 0")
    self.memory = memory
    self.geometry = geometry
    self.root = root
    cache = RadixPathCache(
      in: RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: root))
  }

  /// The nodes, without what the value remembers.
  @inlinable
  var nodes: RadixNodes<Memory, SoleAccess> {
    RadixNodes(memory: memory, geometry: geometry, root: root)
  }

  /// Calls `body` with the words of the node at `address`.
  @inlinable
  func withNode<Result: ~Copyable, Failure: Error>(
    _ address: PhysicalAddress, _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try memory.withWords(at: address, count: geometry.page.pageWordCount, body)
  }
}
