/// What one pass over a structure block finds out: that it is well formed, and its two ends.
struct StructureSummary {
  /// The begin token of the root.
  let rootOffset: Int
  /// What follows the end token.
  let end: Int

  /// Checks nesting, order, names and ends of the whole structure block.
  init(checking bytes: RawSpan, layout: DeviceTreeLayout) throws(DeviceTreeError) {
    var cursor = StructureCursor(
      bytes, at: layout.structure.lowerBound, end: layout.structure.upperBound)
    var root: Int? = nil
    var openNodeCount = 0
    // Whether a node has just ended: whatever comes next in its parent follows a child.
    var followsChild = false

    while true {
      switch try cursor.next() {
      case .beginNode(let offset, let name):
        if openNodeCount == 0 {
          guard root == nil else { throw .secondRoot(offset: offset) }
          guard name.isEmpty else { throw .rootHasName(offset: name.lowerBound) }
          root = offset
        } else {
          guard !name.isEmpty else { throw .emptyName(offset: name.lowerBound) }
        }
        guard openNodeCount <= DeviceTree.maximumDepth else { throw .tooDeep(offset: offset) }
        openNodeCount &+= 1
        followsChild = false
      case .property(let offset, let nameOffset, _):
        guard openNodeCount > 0 else { throw .propertyOutsideNode(offset: offset) }
        guard !followsChild else { throw .propertyAfterChildNode(offset: offset) }
        _ = try bytes.propertyName(at: nameOffset, of: offset, layout: layout)
      case .endNode(let offset):
        guard openNodeCount > 0 else { throw .unmatchedEndNode(offset: offset) }
        openNodeCount &-= 1
        followsChild = true
      case .end(let offset):
        guard openNodeCount == 0 else { throw .endInsideNode(offset: offset) }
        guard let root else { throw .missingRoot(offset: offset) }
        self.rootOffset = root
        self.end = offset &+ 4
        return
      }
    }
  }
}
