/// The properties of one node, one at a time:
///
/// ```swift
/// var properties = node.properties
/// while let property = try properties.next() { … }
/// ```
public struct DeviceTreeProperties: ~Escapable {
  private let tree: DeviceTree
  private var cursor: StructureCursor
  private var isFinished = false

  @_lifetime(copy node)
  init(of node: DeviceTreeNode) {
    self.tree = node.tree
    self.cursor = StructureCursor(node.tree.bytes, at: node.body, end: node.tree.structureEnd)
  }

  /// The next property; nil after the last.
  ///
  /// - Throws: ``DeviceTreeError`` where the bytes have changed since they were checked; nil
  ///   from then on.
  /// - Complexity: O(1), and O(*n*) in the number of NOP tokens skipped.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() throws(DeviceTreeError) -> DeviceTreeProperty? {
    if isFinished { return nil }
    // Also where the next line throws: no second try.
    isFinished = true
    switch try cursor.next() {
    case .property(let offset, let nameOffset, let value):
      let name = try tree.propertyName(at: nameOffset, of: offset)
      isFinished = false
      return DeviceTreeProperty(tree: tree, offset: offset, name: name, value: value)
    case .beginNode, .endNode:
      return nil
    case .end(let offset):
      throw .endInsideNode(offset: offset)
    }
  }
}

/// The child nodes of one node, one at a time:
///
/// ```swift
/// var children = node.children
/// while let child = try children.next() { … }
/// ```
public struct DeviceTreeChildren: ~Escapable {
  private let tree: DeviceTree
  private let depth: Int
  private var cursor: StructureCursor
  /// Where the walk is, in bytes from the blob's start.
  var offset: Int { cursor.offset }
  /// How many nodes below the parent are open at the cursor.
  private var openNodeCount = 0
  private var isFinished = false

  @_lifetime(copy node)
  init(of node: DeviceTreeNode) {
    self.tree = node.tree
    self.depth = node.depth &+ 1
    self.cursor = StructureCursor(node.tree.bytes, at: node.body, end: node.tree.structureEnd)
  }

  /// The next child; nil after the last.
  ///
  /// - Throws: ``DeviceTreeError`` where the bytes have changed since they were checked; nil
  ///   from then on.
  /// - Complexity: O(*n*) in the length of the child before, which is skipped.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() throws(DeviceTreeError) -> DeviceTreeNode? {
    if isFinished { return nil }
    isFinished = true
    while true {
      switch try cursor.next() {
      case .property:
        continue
      case .beginNode(let offset, let name):
        openNodeCount &+= 1
        guard depth &+ openNodeCount <= DeviceTree.maximumDepth &+ 1 else {
          throw .tooDeep(offset: offset)
        }
        guard openNodeCount == 1 else { continue }
        isFinished = false
        return DeviceTreeNode(
          tree: tree, offset: offset, name: name, body: cursor.offset, depth: depth)
      case .endNode:
        guard openNodeCount > 0 else { return nil }
        openNodeCount &-= 1
      case .end(let offset):
        throw .endInsideNode(offset: offset)
      }
    }
  }
}

/// All nodes of a tree, each before its children, without recursion. ``DeviceTreeNode/depth`` shows
/// how they nest.
public struct DeviceTreeNodes: ~Escapable {
  private let tree: DeviceTree
  private var cursor: StructureCursor
  private var openNodeCount = 0
  private var isFinished = false

  @_lifetime(copy tree)
  init(of tree: DeviceTree) {
    self.tree = tree
    self.cursor = StructureCursor(tree.bytes, at: tree.rootOffset, end: tree.structureEnd)
  }

  /// The next node; nil after the last.
  ///
  /// - Throws: ``DeviceTreeError`` where the bytes have changed since they were checked; nil
  ///   from then on.
  /// - Complexity: O(*n*) for the whole walk, where *n* is the length of the structure block.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() throws(DeviceTreeError) -> DeviceTreeNode? {
    if isFinished { return nil }
    isFinished = true
    while true {
      switch try cursor.next() {
      case .property:
        continue
      case .beginNode(let offset, let name):
        let depth = openNodeCount
        guard depth <= DeviceTree.maximumDepth else { throw .tooDeep(offset: offset) }
        openNodeCount &+= 1
        isFinished = false
        return DeviceTreeNode(
          tree: tree, offset: offset, name: name, body: cursor.offset, depth: depth)
      case .endNode(let offset):
        guard openNodeCount > 0 else { throw .unmatchedEndNode(offset: offset) }
        openNodeCount &-= 1
      case .end(let offset):
        guard openNodeCount == 0 else { throw .endInsideNode(offset: offset) }
        return nil
      }
    }
  }
}

extension DeviceTree {
  /// All nodes, each before its children: the way to read a whole tree in one pass.
  public var nodes: DeviceTreeNodes {
    @_lifetime(copy self)
    get { DeviceTreeNodes(of: self) }
  }
}
