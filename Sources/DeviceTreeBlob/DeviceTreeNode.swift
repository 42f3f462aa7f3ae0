/// One node of a device tree: named properties, then named child nodes.
///
/// A borrowed view that stores only where the node is.
public struct DeviceTreeNode: ~Escapable {
  let tree: DeviceTree
  /// Where the node begins, in bytes from the blob's start.
  public let offset: Int
  /// How many nodes enclose this one; 0 for the root.
  public let depth: Int

  private let nameRange: Range<Int>
  /// What follows the name.
  let body: Int

  @_lifetime(copy tree)
  init(tree: DeviceTree, offset: Int, name: Range<Int>, body: Int, depth: Int) {
    self.tree = tree
    self.offset = offset
    self.nameRange = name
    self.body = body
    self.depth = depth
  }

  /// The node's name with its unit address, if any; empty of the root.
  public var name: DeviceTreeString {
    @_lifetime(copy self)
    get { DeviceTreeString(tree.bytes.extracting(nameRange)) }
  }

  /// The name as a `String`, for people.
  public var nameString: String { name.string }

  /// The node's own properties, in the order of the blob.
  public var properties: DeviceTreeProperties {
    @_lifetime(copy self)
    get { DeviceTreeProperties(of: self) }
  }

  /// The child nodes, in the order of the blob.
  public var children: DeviceTreeChildren {
    @_lifetime(copy self)
    get { DeviceTreeChildren(of: self) }
  }

  /// The first property with that name; nil if none exists.
  ///
  /// - Throws: ``DeviceTreeError`` where the bytes have changed since they were checked.
  /// - Complexity: O(*n*) in the number of properties of the node.
  @_lifetime(copy self)
  public func property(named name: String) throws(DeviceTreeError) -> DeviceTreeProperty? {
    var properties = self.properties
    while let property = try properties.next() {
      if property.name.equals(name) { return property }
    }
    return nil
  }

  /// The first child with that name, unit address included; nil if none exists.
  ///
  /// - Throws: ``DeviceTreeError`` where the bytes have changed since they were checked.
  /// - Complexity: O(*n*) in the length of the node.
  @_lifetime(copy self)
  public func child(named name: String) throws(DeviceTreeError) -> DeviceTreeNode? {
    var children = self.children
    while let child = try children.next() {
      if child.name.equals(name) { return child }
    }
    return nil
  }

  /// The first child whose name has exactly these bytes; nil if none exists.
  ///
  /// - Throws: ``DeviceTreeError`` where the bytes have changed since they were checked.
  /// - Complexity: O(*n*) in the length of the node.
  @_lifetime(copy self)
  public func child(named name: RawSpan) throws(DeviceTreeError) -> DeviceTreeNode? {
    var children = self.children
    while let child = try children.next() {
      if child.name.equals(name) { return child }
    }
    return nil
  }
}
