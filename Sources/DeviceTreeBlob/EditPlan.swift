/// What an edit in place needs to know before the first byte moves.
struct EditPlan {
  let layout: DeviceTreeLayout
  /// The bytes that go away, or the empty place where a new child comes.
  let edited: Range<Int>

  /// Finds the place behind the last child of the root.
  init(of bytes: RawSpan, addingChild name: String) throws(DeviceTreeEditError) {
    let tree = try bytes.tree()
    try tree.checkAbsence(ofChild: name)
    self.layout = try tree.editableLayout()
    let end = try tree.endOfNode(withBody: tree.root.body).lowerBound
    self.edited = end..<end
  }

  /// Finds the root's child `name`.
  init(of bytes: RawSpan, removingChild name: String) throws(DeviceTreeEditError) {
    let tree = try bytes.tree()
    let found: DeviceTreeNode?
    do throws(DeviceTreeError) { found = try tree.root.child(named: name) } catch {
      throw .malformed(error)
    }
    guard let found else { throw .noSuchChild }
    self.layout = try tree.editableLayout()
    self.edited = found.offset..<(try tree.endOfNode(withBody: found.body).upperBound)
  }
}

extension RawSpan {
  @_lifetime(copy self)
  fileprivate func tree() throws(DeviceTreeEditError) -> DeviceTree {
    do throws(DeviceTreeError) { return try DeviceTree(validating: self) } catch {
      throw .malformed(error)
    }
  }

  /// Where the value of a property is. It must have `byteCount` bytes.
  func valueRange(
    ofProperty name: String, child: String?, byteCount: Int
  ) throws(DeviceTreeEditError) -> Range<Int> {
    try tree().valueRange(ofProperty: name, child: child, byteCount: byteCount)
  }
}

extension DeviceTree {
  /// The layout, if the blocks are in the order that shifting the end of the blob needs.
  fileprivate func editableLayout() throws(DeviceTreeEditError) -> DeviceTreeLayout {
    guard layout.reservations.upperBound &+ 16 <= layout.structure.lowerBound,
      layout.structure.upperBound <= layout.strings.lowerBound
    else { throw .unsupportedLayout }
    return layout
  }

  /// The end token of the node whose content starts at `body`.
  fileprivate func endOfNode(withBody body: Int) throws(DeviceTreeEditError) -> Range<Int> {
    do throws(DeviceTreeError) {
      var cursor = StructureCursor(bytes, at: body, end: structureEnd)
      var openNodeCount = 1
      while true {
        switch try cursor.next() {
        case .beginNode: openNodeCount &+= 1
        case .property: continue
        case .endNode(let offset):
          openNodeCount &-= 1
          if openNodeCount == 0 { return offset..<(offset &+ 4) }
        case .end(let offset): throw .endInsideNode(offset: offset)
        }
      }
    } catch { throw .malformed(error) }
  }
}
