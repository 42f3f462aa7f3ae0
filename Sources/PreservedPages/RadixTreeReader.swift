public import MemoryAccess

/// What a walk over an untrusted tree reports to its caller.
public protocol RadixTreeVisitor: ~Copyable {
  /// A node was reached, over the pointer at `place`.
  ///
  /// - Returns: whether to look inside.
  mutating func enter(_ node: RadixNode, from place: PointerPlace) -> Bool
  /// A leaf's page, with its bits; each word may change between two loads.
  mutating func visitLeaf(_ leaf: RadixNode, bits: RawSpan)
  /// Something is wrong.
  mutating func report(_ finding: PreservedPagesFinding)
}

/// Reads an untrusted radix tree: from an image, a memory file, a peer.
///
/// Every pointer is checked for alignment, for memory behind it and for leading back up; whatever
/// the bytes are, nothing traps, and the work is bounded by the number of pages that memory has. The
/// walk needs no heap, so a successor can use it before it has one.
///
/// Source: `FormatTree.md`.
@frozen
public struct RadixTreeReader<Memory: PhysicalMemory> {
  /// The memory to read.
  public let memory: Memory
  /// The shape the tree is said to have.
  public let geometry: RadixGeometry
  /// Where the root is said to be; 0 means that nothing is preserved.
  public let root: PhysicalAddress

  /// A reader of the tree at `root`.
  @inlinable
  public init(_ memory: Memory, geometry: RadixGeometry, root: PhysicalAddress) {
    self.memory = memory
    self.geometry = geometry
    self.root = root
  }

  /// Visits every node that can be reached, a table before what hangs below it, in the order of
  /// their keys.
  ///
  /// A node that two pointers lead to is visited for each of them, unless the visitor declines; the
  /// walk ends, with a finding, when more nodes were visited than memory has pages.
  ///
  /// - Complexity: O(nodes · page size), at most O(memory).
  public func walk<Visitor: RadixTreeVisitor & ~Copyable>(_ visitor: inout Visitor) {
    guard root != .zero else { return }
    var path = RadixPath(root: root, level: geometry.rootLevel)
    guard isNode(root, from: .start, path: path, &visitor) else { return }

    let nodeLimit = max(memory.byteCount &>> UInt64(geometry.page.shift), 1)
    var nodeCount: UInt64 = 1
    let rootNode = path.node(in: geometry)
    guard visitor.enter(rootNode, from: .start) else { return }
    if rootNode.level == 0 { return visit(leaf: rootNode, &visitor) }

    while true {
      guard let (slot, pointer) = nextPointer(of: path) else {
        if path.isUntouched { visitor.report(.nodeEmpty(path.node(in: geometry))) }
        if !path.leave(in: geometry) { return }
        continue
      }
      let place = PointerPlace.slot(
        RadixSlot(table: path.address, level: path.level, index: slot))
      path.take(slot)
      guard path.childFirstKey(in: geometry) < geometry.keyEnd else {
        visitor.report(.slotBeyondKeys(in: place, pointer: pointer))
        continue
      }
      guard isNode(pointer, from: place, path: path, &visitor) else { continue }
      nodeCount &+= 1
      guard nodeCount <= nodeLimit else {
        return visitor.report(.moreNodesThanMemory(nodeCount: nodeCount))
      }
      path.enter(pointer, in: geometry)
      let node = path.node(in: geometry)
      if !visitor.enter(node, from: place) {
        _ = path.leave(in: geometry)
      } else if node.level == 0 {
        visit(leaf: node, &visitor)
        _ = path.leave(in: geometry)
      }
    }
  }

  private func visit<Visitor: RadixTreeVisitor & ~Copyable>(
    leaf: RadixNode, _ visitor: inout Visitor
  ) {
    let page = geometry.page.page(at: leaf.address)
    _ = memory.withBytes(in: page) { visitor.visitLeaf(leaf, bits: $0) }
    memory.finishedReading(page)
  }

  /// Whether a node can be at `pointer`; if not, the visitor gets a finding.
  private func isNode<Visitor: RadixTreeVisitor & ~Copyable>(
    _ pointer: PhysicalAddress, from place: PointerPlace, path: borrowing RadixPath,
    _ visitor: inout Visitor
  ) -> Bool {
    if let finding = geometry.page.finding(for: pointer, in: place, memory) {
      visitor.report(finding)
      return false
    }
    // At the start the path holds the root itself.
    if place != .start, path.holds(pointer) {
      visitor.report(.cycle(in: place, pointer: pointer))
      return false
    }
    return true
  }

  /// The next pointer of the table that the path ends at, from the slot it has come to.
  private func nextPointer(of path: borrowing RadixPath) -> (slot: Int, PhysicalAddress)? {
    let start = path.nextSlot
    let page = geometry.page.page(at: path.address)
    let slotCount = geometry.slotCount
    let found: (slot: Int, PhysicalAddress)?? = memory.withBytes(in: page) { bytes in
      for slot in start..<slotCount {
        guard let word = bytes.word(atByte: slot &* 8) else { return nil }
        if word != 0 { return (slot, PhysicalAddress(word)) }
      }
      return nil
    }
    return found ?? nil
  }
}
