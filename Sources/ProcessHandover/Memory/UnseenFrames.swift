import MemoryAccess
import PreservedPages

/// The frames of a memory file that its allocator has not seen yet.
///
///     ┌──────────────┬────────┬──────────────────────────┐
///     │ seen         │ window │ not seen                 │
///     └──────────────┴────────┴──────────────────────────┘
///
/// What is free follows from the tree: a frame that is neither in an entry nor a node. To find that out for
/// all of a large file takes as long as reading its tree, and a process that has just taken the memory over
/// wants one frame. So the allocator sees the file window by window, and only while the frames that it has seen
/// do not suffice. Each window is twice as large as the one before, up to ``largestWindow``.
///
/// A frame is handed out only after it was seen. Until then, a free or a preserve of the frame changes only the
/// tree: a window is read from the tree as the tree is at that moment.
struct UnseenFrames {
  /// A tree that marks what is preserved.
  struct Tree {
    /// Where its root is.
    let root: PhysicalAddress
    /// Its shape.
    let shape: RadixGeometry
    /// The orders of its entries, and its nodes, by address, as they were when the memory was taken over.
    /// What was preserved since then is in frames that were seen before.
    let orders: PageOrderSet
    let nodes: [PhysicalAddress]

    init(_ tree: borrowing RadixTree<MemoryFile>, as pages: PreservedPagesSurvey) {
      root = tree.root
      shape = tree.geometry
      orders = pages.ordersInUse
      nodes = pages.nodes
    }
  }

  private let file: MemoryFile
  private let tree: Tree
  /// Nodes that were freed since the memory was taken over.
  private var freedNodes: Set<PhysicalAddress> = []
  private var nodeIndex = 0
  private var window: UInt64 = 64
  /// A bit for each frame of a window: whether it is in use.
  private var used: [UInt64] = []

  /// The first frame that was not seen.
  private(set) var start: FrameNumber
  /// The frame behind the last.
  let end: FrameNumber

  /// The most frames of a window: those of one leaf of pages of 4 KiB.
  private static let largestWindow: UInt64 = 1 << 15

  /// The frames `all` of a file whose preserved frames `tree` marks.
  init(_ all: FrameRange, of file: MemoryFile, _ tree: Tree) {
    self.file = file
    self.tree = tree
    start = all.start
    end = all.end
  }

  private var geometry: PageGeometry { tree.shape.page }

  /// Reads the next window from the tree, and calls `body` with the free runs in it, by address.
  ///
  /// - Returns: false after the last window.
  /// - Complexity: O(orders in use · (levels + words of the window's keys) + runs + nodes in it).
  mutating func seeNext(_ body: (FrameRange) -> Void) -> Bool {
    guard start < end else { return false }
    let frameCount = min(window, end.rawValue &- start.rawValue)
    let frames = FrameRange(start: start, frameCount: frameCount)
    window = min(window &* 2, Self.largestWindow)
    used.removeAll(keepingCapacity: true)
    used.append(contentsOf: repeatElement(0, count: Int(frameCount &+ 63) / 64))
    withExtendedLifetime(file) {
      // SAFETY: `file` lives on to the end of the closure.
      let marks = RadixTree(
        adopting: tree.root, in: unsafe file.unsafeDirectMap, geometry: tree.shape)
      tree.orders.forEach { order in
        marks.forEachMarkedRun(of: BlockRun(covering: frames, order: order, in: geometry)) {
          use(FrameRange(covering: $0.range(in: geometry), in: geometry), of: frames)
        }
      }
    }
    while nodeIndex < tree.nodes.count {
      let node = FrameNumber(containing: tree.nodes[nodeIndex], in: geometry)
      guard node < frames.end else { break }
      if node >= start, !freedNodes.contains(tree.nodes[nodeIndex]) {
        use(FrameRange(start: node, frameCount: 1), of: frames)
      }
      nodeIndex &+= 1
    }
    start = frames.end
    forEachFreeRun(of: frames, body)
    return true
  }

  /// Takes note of frames that were freed.
  ///
  /// - Returns: the part of them that the allocator has seen and has to free.
  mutating func free(_ frames: FrameRange) -> FrameRange {
    if frames.end > start {
      // Nodes are freed one by one.
      if frames.frameCount == 1 { noteFreed(frames.start.address(in: geometry)) }
      guard frames.start < start else { return FrameRange(start: start, frameCount: 0) }
      return FrameRange(start: frames.start, frameCount: start.rawValue &- frames.start.rawValue)
    }
    return frames
  }

  private mutating func noteFreed(_ address: PhysicalAddress) {
    let nodes = tree.nodes
    let index = nodes.partitioningIndex { $0 >= address }
    if index < nodes.count, nodes[index] == address { freedNodes.insert(address) }
  }

  /// Marks the part of `range` that is in the window.
  private mutating func use(_ range: FrameRange, of frames: FrameRange) {
    let first = max(range.start, frames.start).rawValue &- frames.start.rawValue
    let end = min(range.end, frames.end).rawValue &- frames.start.rawValue
    var bit = first
    while bit < end {
      let next = min((bit | 63) &+ 1, end)
      used[Int(bit &>> 6)] |= (UInt64.max &>> (64 &- (next &- bit))) &<< (bit & 63)
      bit = next
    }
  }

  private func forEachFreeRun(of frames: FrameRange, _ body: (FrameRange) -> Void) {
    var bit: UInt64 = 0
    while let first = firstBit(from: bit, isUsed: false), first < frames.frameCount {
      bit = min(firstBit(from: first, isUsed: true) ?? .max, frames.frameCount)
      body(
        FrameRange(
          start: FrameNumber(frames.start.rawValue &+ first), frameCount: bit &- first))
    }
  }

  private func firstBit(from start: UInt64, isUsed: Bool) -> UInt64? {
    var bit = start
    while bit &>> 6 < used.count {
      let word = used[Int(bit &>> 6)]
      let bits = (isUsed ? word : ~word) &>> (bit & 63)
      if bits != 0 { return bit &+ UInt64(bits.trailingZeroBitCount) }
      bit = (bit | 63) &+ 1
    }
    return nil
  }
}

extension BlockRun {
  /// The blocks of `order` that hold a frame of `frames`.
  fileprivate init(covering frames: FrameRange, order: PageOrder, in geometry: PageGeometry) {
    let first = frames.start.rawValue &>> UInt64(order.rawValue)
    let last = (frames.end.rawValue &- 1) &>> UInt64(order.rawValue)
    self.init(
      address: FrameNumber(first &<< UInt64(order.rawValue)).address(in: geometry), order: order,
      blockCount: last &- first &+ 1)
  }
}
