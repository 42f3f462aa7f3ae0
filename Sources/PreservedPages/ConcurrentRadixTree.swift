public import MemoryAccess

/// A radix tree that several threads change at once, without a lock, in the format of ``RadixTree``.
///
/// Every thread has a value of its own for the same root, and a frame source of its own:
///
///     thread 1   value, paths, frames ─┐
///                                      ├─► root ─► tables ─► leaves
///     thread 2   value, paths, frames ─┘
///
/// - A bit of a leaf is set or cleared by one atomic instruction, so two threads in one word do not
///   lose each other's keys.
/// - A missing path is made aside, and linked by one compare-exchange. Who comes second gives its
///   nodes back and goes on with those of the first: no thread waits for another.
/// - Nodes are never unlinked, so what a thread remembers of the way stays right. To prune, or to
///   destroy the tree, all threads but one stop, and that one uses a ``RadixTree``.
///
/// Between any two steps of any thread the memory is a valid handover.
///
/// An atomic change of a word takes five times as long as a plain one: with one thread, a
/// ``RadixTree`` is faster.
@frozen
@safe
public struct ConcurrentRadixTree<Memory: WritablePhysicalMemory>: ~Copyable {
  @usableFromInline
  let nodes: RadixNodes<Memory, SharedAccess>

  /// The paths to the keys used last.
  @usableFromInline
  var cache = RadixPathCache()

  /// A thread's view of the tree whose root is at `root`.
  ///
  /// - Precondition: the tree is sound, and while the value is used it is changed only through values
  ///   of this type. `memory` may be used by several threads.
  @inlinable
  public init(adopting root: PhysicalAddress, in memory: Memory, geometry: RadixGeometry) {
    require(
      that: root != .zero && geometry.page.isPageAligned(root), "a root is a page, and not page 0")
    nodes = RadixNodes(memory: memory, geometry: geometry, root: root)
  }

  /// The root node's page.
  @inlinable
  public var root: PhysicalAddress { nodes.root }

  /// The shape of the tree.
  @inlinable
  public var geometry: RadixGeometry { nodes.geometry }

  /// Marks the block that `key` names.
  ///
  /// - Parameter key: the key.
  /// - Parameter frames: a source that no other thread uses meanwhile.
  /// - Returns: whether the key was new; of threads that insert it at once, one gets `true`.
  /// - Throws: ``RadixTreeError/keyOutsideTree(_:)`` and ``RadixTreeError/outOfFrames(level:)``, as
  ///   ``RadixTree/insert(_:from:)``; the latter also where another thread makes the same nodes.
  /// - Complexity: one atomic change and two loads near the key before; otherwise one load a level, and
  ///   one frame for each node that is missing.
  @inlinable
  @inline(__always)
  @discardableResult
  public mutating func insert<Frames: FrameSource & ~Copyable>(
    _ key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> Bool {
    let word = try madeWord(for: key, from: &frames)
    let mask = key.mask
    return nodes.memory.withWords(at: word, count: 1) { $0.setBits(mask, at: 0) & mask == 0 }
  }

  /// Unmarks the block that `key` names; the nodes on the way stay.
  ///
  /// - Returns: whether the key was there; of threads that remove it at once, one gets `true`.
  /// - Complexity: one atomic change, and as many loads as ``contains(_:)``.
  @inlinable
  @discardableResult
  public mutating func remove(_ key: RadixKey) -> Bool {
    let word = word(for: key)
    if word == .zero { return false }
    let mask = key.mask
    return nodes.memory.withWords(at: word, count: 1) { $0.clearBits(mask, at: 0) & mask != 0 }
  }

  /// Whether the block that `key` names is marked, at some moment of the call.
  ///
  /// - Complexity: three loads near the key before; otherwise one load a level.
  @inlinable
  public mutating func contains(_ key: RadixKey) -> Bool {
    let word = word(for: key)
    if word == .zero { return false }
    return nodes.memory.withWords(at: word, count: 1) {
      $0.loadPublished(0) &>> (key.rawValue & 63) & 1 != 0
    }
  }

  /// Where the word for `key` is, in a leaf that is made where it is missing; the path is remembered.
  @inlinable
  @inline(__always)
  mutating func madeWord<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    let word = wordNearPath(for: key)
    if _fastPath(word != .zero) { return word }
    return try Self.makeWord(for: key, &cache, in: nodes, from: &frames)
  }

  /// Where the word for `key` is; `.zero` if the leaf does not exist, or the tree cannot contain for the key.
  @inlinable
  @inline(__always)
  mutating func word(for key: RadixKey) -> PhysicalAddress {
    let word = wordNearPath(for: key)
    if _fastPath(word != .zero) { return word }
    return Self.findWord(for: key, &cache, in: nodes)
  }

  /// Where the word for `key` is if its path is remembered; `.zero` if it is not, or the leaf does not exist.
  ///
  /// Only keys that the tree has a place for share a remembered prefix. For pages of 4 KiB alone, with
  /// shifts and masks that are constants, as in a ``RadixTree``: the fewer instructions a key takes, the more
  /// of the lines that come from another core are on their way at once.
  @inlinable
  @inline(__always)
  func wordNearPath(for key: RadixKey) -> PhysicalAddress {
    let constant = RadixNodes<Memory, SharedAccess>(
      memory: nodes.memory, geometry: RadixGeometry(.pages4KiB), root: nodes.root)
    guard let table = cache.rememberedTable(for: key, constant.geometry) else { return .zero }
    return constant.wordAddress(of: key, belowLevel2: table) ?? .zero
  }

  // Never inlined, and of the nodes alone, so that a hot loop keeps the paths where they are.

  @inlinable
  @inline(never)
  static func makeWord<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, _ cache: inout RadixPathCache, in nodes: RadixNodes<Memory, SharedAccess>,
    from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    nodes.wordAddress(of: key, in: try nodes.makeLeaf(for: key, &cache, from: &frames))
  }

  @inlinable
  @inline(never)
  static func findWord(
    for key: RadixKey, _ cache: inout RadixPathCache, in nodes: RadixNodes<Memory, SharedAccess>
  ) -> PhysicalAddress {
    let leaf = nodes.findLeaf(for: key, &cache)
    return leaf == .zero ? .zero : nodes.wordAddress(of: key, in: leaf)
  }
}
