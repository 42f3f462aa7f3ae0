// Edits that write a new blob and leave the old one alone: between any two stores the old one is
// whole, and the caller that switches one pointer to the new one afterwards changes the tree at once.

extension DeviceTree {
  /// Writes this tree with one more child of the root into `memory`; gives the length in bytes.
  ///
  /// `properties` writes what is in the child; it may begin and end nodes inside it.
  ///
  /// - Throws: ``DeviceTreeEditError/childExists(offset:)``,
  ///   ``DeviceTreeEditError/unwritable(_:)`` with what `properties` throws or the room needed,
  ///   ``DeviceTreeEditError/malformed(_:)``. `memory` then holds no blob.
  /// - Complexity: O(*n*) in the length of the blob, and in the names for each property.
  public func write(
    into memory: inout MutableRawSpan, addingChild name: String,
    _ properties: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws(DeviceTreeEditError) -> Int {
    try checkAbsence(ofChild: name)
    var writer = DeviceTreeWriter(into: &memory)
    try writer.copy(self, leavingOutNodeAt: nil)
    do throws(DeviceTreeWriterError) {
      try writer.writeNode(NameBuffer(checking: name), properties)
      return try writer.finish()
    } catch { throw .unwritable(error) }
  }

  /// Writes this tree without the root's child `name` into `memory`; gives the length in bytes.
  ///
  /// - Throws: ``DeviceTreeEditError/noSuchChild``, ``DeviceTreeEditError/unwritable(_:)`` with the
  ///   room needed, ``DeviceTreeEditError/malformed(_:)``. `memory` then holds no blob.
  /// - Complexity: O(*n*) in the length of the blob, and in the names for each property.
  public func write(
    into memory: inout MutableRawSpan, removingChild name: String
  ) throws(DeviceTreeEditError) -> Int {
    let offset = try offset(ofChild: name)
    var writer = DeviceTreeWriter(into: &memory)
    try writer.copy(self, leavingOutNodeAt: offset)
    do throws(DeviceTreeWriterError) { return try writer.finish() } catch {
      throw .unwritable(error)
    }
  }

  /// Writes this tree without the root's child `old`, and with the child `new` behind the others;
  /// gives the length in bytes.
  ///
  /// - Throws: ``DeviceTreeEditError/noSuchChild``; ``DeviceTreeEditError/childExists(offset:)`` of
  ///   a new name that is another child's; as ``write(into:addingChild:_:)``.
  /// - Complexity: O(*n*) in the length of the blob, and in the names for each property.
  public func write(
    into memory: inout MutableRawSpan, replacingChild old: String, with new: String,
    _ properties: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws(DeviceTreeEditError) -> Int {
    let offset = try offset(ofChild: old)
    // By bytes: `==` of two strings brings 30 KiB of Unicode tables into a kernel.
    if !old.hasBytes(of: new) { try checkAbsence(ofChild: new) }
    var writer = DeviceTreeWriter(into: &memory)
    try writer.copy(self, leavingOutNodeAt: offset)
    do throws(DeviceTreeWriterError) {
      try writer.writeNode(NameBuffer(checking: new), properties)
      return try writer.finish()
    } catch { throw .unwritable(error) }
  }

  /// Writes this tree with another value of the same length for one property of the root, or of
  /// its child `child`; gives the length in bytes.
  ///
  /// - Throws: ``DeviceTreeEditError/noSuchChild``, ``DeviceTreeEditError/noSuchProperty(offset:)``,
  ///   ``DeviceTreeEditError/wrongByteCount(stored:offset:)``,
  ///   ``DeviceTreeEditError/unwritable(_:)`` with the room needed,
  ///   ``DeviceTreeEditError/malformed(_:)``. `memory` is then untouched.
  /// - Complexity: O(*n*) in the length of the blob.
  public func write(
    into memory: inout MutableRawSpan, settingProperty name: String, ofChild child: String? = nil,
    to value: RawSpan
  ) throws(DeviceTreeEditError) -> Int {
    let range = try valueRange(ofProperty: name, child: child, byteCount: value.byteCount)
    guard totalByteCount <= memory.byteCount else {
      throw .unwritable(.outOfRoom(byteCountNeeded: totalByteCount))
    }
    for offset in 0..<totalByteCount { memory.store(bytes.byte(at: offset) ?? 0, at: offset) }
    memory.overwrite(range, with: value)
    return totalByteCount
  }

  func checkAbsence(ofChild name: String) throws(DeviceTreeEditError) {
    var existing: Int? = nil
    do throws(DeviceTreeError) { existing = try root.child(named: name)?.offset } catch {
      throw .malformed(error)
    }
    if let existing { throw .childExists(offset: existing) }
  }

  func offset(ofChild name: String) throws(DeviceTreeEditError) -> Int {
    var offset: Int? = nil
    do throws(DeviceTreeError) { offset = try root.child(named: name)?.offset } catch {
      throw .malformed(error)
    }
    guard let offset else { throw .noSuchChild }
    return offset
  }

  /// Where the value of a property is. It must have `byteCount` bytes.
  func valueRange(
    ofProperty name: String, child: String?, byteCount: Int
  ) throws(DeviceTreeEditError) -> Range<Int> {
    guard let child else { return try root.valueRange(of: name, byteCount: byteCount) }
    let found: DeviceTreeNode?
    do throws(DeviceTreeError) { found = try root.child(named: child) } catch {
      throw .malformed(error)
    }
    guard let found else { throw .noSuchChild }
    return try found.valueRange(of: name, byteCount: byteCount)
  }
}

extension DeviceTreeNode {
  fileprivate func valueRange(
    of name: String, byteCount: Int
  ) throws(DeviceTreeEditError) -> Range<Int> {
    let found: DeviceTreeProperty?
    do throws(DeviceTreeError) { found = try property(named: name) } catch {
      throw .malformed(error)
    }
    guard let found else { throw .noSuchProperty(offset: offset) }
    guard found.byteCount == byteCount else {
      throw .wrongByteCount(stored: found.byteCount, offset: found.offset)
    }
    return found.valueRange
  }
}

extension DeviceTreeWriter {
  /// Copies reservations, boot CPU and everything inside the root, but for one node.
  @_lifetime(self: copy self)
  mutating func copy(
    _ tree: DeviceTree, leavingOutNodeAt skipped: Int?
  ) throws(DeviceTreeEditError) {
    do throws(DeviceTreeWriterError) {
      bootCPU = tree.header.bootCPU
      for index in 0..<tree.reservationCount {
        guard let area = tree.reservation(at: index) else { continue }
        try reserve(address: area.address, byteCount: area.byteCount)
      }
    } catch { throw .unwritable(error) }

    var cursor = StructureCursor(tree.bytes, at: tree.root.body, end: tree.structureEnd)
    var openNodeCount = 1
    // How many nodes were open where the one to leave out begins.
    var skippedLevel: Int? = nil
    while openNodeCount > 0 {
      let token: StructureToken
      var name = 0..<0
      do throws(DeviceTreeError) {
        token = try cursor.next()
        if case .property(let offset, let nameOffset, _) = token {
          name = try tree.propertyName(at: nameOffset, of: offset)
        }
        if case .end(let offset) = token { throw .endInsideNode(offset: offset) }
      } catch { throw .malformed(error) }

      do throws(DeviceTreeWriterError) {
        switch token {
        case .beginNode(let offset, let name):
          if offset == skipped { skippedLevel = openNodeCount }
          openNodeCount &+= 1
          if skippedLevel == nil {
            try beginNode(NameBuffer(copying: tree.bytes.extracting(name)))
          }
        case .property(_, _, let value):
          if skippedLevel == nil {
            try property(
              NameBuffer(copying: tree.bytes.extracting(name)),
              bytes: tree.bytes.extracting(value))
          }
        case .endNode:
          openNodeCount &-= 1
          if skippedLevel == nil, openNodeCount > 0 { try endNode() }
          if skippedLevel == openNodeCount { skippedLevel = nil }
        case .end:
          return
        }
      } catch { throw .unwritable(error) }
    }
  }
}

extension MutableRawSpan {
  /// Stores `value` over `range`, which is as long.
  @_lifetime(self: copy self)
  mutating func overwrite(_ range: Range<Int>, with value: RawSpan) {
    var source = 0
    for offset in range {
      store(value.byte(at: source) ?? 0, at: offset)
      source &+= 1
    }
  }
}
