import MemoryAccess

// An ordered map: a B+ tree whose leaves point to the entries, which are the objects that a hash map has.
//
//     root ─► inner node ─► … ─► leaf ─► entry: header, metadata, key, value
//
// A key is found by the first bytes of the keys, which the nodes contain; whole keys are compared where
// those are equal.

extension ByteMap where Storage: ~Copyable {
  /// The number of levels over the leaves.
  func treeHeight() throws(PersistentCollectionError) -> Int {
    let height = arena.loadRoot(RootLayout.treeHeight)
    guard height < UInt64(TreeNode.heightLimit) else {
      throw .damaged(PhysicalAddress(arena.root &+ RootLayout.treeHeight))
    }
    return Int(height)
  }

  /// The number of entries of a node, which exists.
  @inline(__always)
  func entryCount(
    ofNode node: UInt64, level: Int
  ) throws(PersistentCollectionError) -> Int {
    guard arena.exists(node, byteCount: TreeNode.headerByteCount) else {
      throw .damaged(PhysicalAddress(node))
    }
    let header = arena.load(node)
    let count = Int(truncatingIfNeeded: header & 0xffff_ffff)
    guard header &>> 32 == TreeNode.mark &<< 16 | UInt64(truncatingIfNeeded: level), count > 0,
      count <= TreeNode.capacity(level),
      arena.exists(
        node,
        byteCount: TreeNode.headerByteCount &+ UInt64(truncatingIfNeeded: count)
          &* TreeNode.entryByteCount(level))
    else { throw .damaged(PhysicalAddress(node)) }
    return count
  }

  @inline(__always)
  func place(ofEntry index: Int, _ node: UInt64, level: Int) -> UInt64 {
    node &+ TreeNode.headerByteCount
      &+ UInt64(truncatingIfNeeded: index) &* TreeNode.entryByteCount(level)
  }

  func child(
    _ index: Int, of node: UInt64, level: Int
  ) -> UInt64 {
    ObjectReference(in: arena.load(place(ofEntry: index, node, level: level) &+ 16)).address
  }

  /// Compares `key` with that of an entry: less than 0 where it comes before it.
  @inline(__always)
  func compare(
    _ key: RawSpan, _ prefix: UInt64, withEntryAt place: UInt64
  ) throws(PersistentCollectionError) -> Int {
    let other = arena.load(place)
    if prefix != other { return prefix < other ? -1 : 1 }
    let object = ObjectReference(in: arena.load(place &+ 8))
    let header = try header(of: object, foundAt: place &+ 8)
    return try withBytes(
      at: object.address &+ EntryHeader.byteCount, count: header.keyByteCount
    ) { compareBytes(key, $0) }
  }

  /// Goes from the root to the leaf in which `key` is, or would be.
  ///
  /// The path's last step has the index of the first entry that is not before the key.
  func treePath(to key: RawSpan) throws(PersistentCollectionError) -> TreePath {
    var path = TreePath()
    var node = ObjectReference(in: arena.loadRoot(RootLayout.treeRoot)).address
    if node == 0 { return path }
    let prefix = keyPrefix(key)
    var level = try treeHeight()
    while true {
      let count = try entryCount(ofNode: node, level: level)
      // The first entry that is behind the key; in a leaf, or that has the key.
      var low = level == 0 ? 0 : 1
      var high = count
      while low < high {
        let middle = (low &+ high) / 2
        let order = try compare(
          key, prefix, withEntryAt: place(ofEntry: middle, node, level: level))
        if level == 0, order == 0 {
          path.isFound = true
          low = middle
          break
        }
        if order < 0 { high = middle } else { low = middle &+ 1 }
      }
      if level == 0 {
        path.steps.append(TreePath.Step(node: node, index: low, count: count))
        return path
      }
      path.steps.append(TreePath.Step(node: node, index: low &- 1, count: count))
      node = child(low &- 1, of: node, level: level)
      level &-= 1
    }
  }

  /// The path to the first entry, or to behind the last one.
  func treePath(toEnd isEnd: Bool) throws(PersistentCollectionError) -> TreePath {
    var path = TreePath()
    let node = ObjectReference(in: arena.loadRoot(RootLayout.treeRoot)).address
    if node == 0 { return path }
    try descend(&path, to: node, level: try treeHeight(), atEnd: isEnd)
    return path
  }

  private func descend(
    _ path: inout TreePath, to start: UInt64, level: Int, atEnd: Bool
  ) throws(PersistentCollectionError) {
    var node = start
    var level = level
    while true {
      let count = try entryCount(ofNode: node, level: level)
      if level == 0 {
        path.steps.append(TreePath.Step(node: node, index: atEnd ? count : 0, count: count))
        return
      }
      let index = atEnd ? count &- 1 : 0
      path.steps.append(TreePath.Step(node: node, index: index, count: count))
      node = child(index, of: node, level: level)
      level &-= 1
    }
  }

  /// The entry before which a path ends; nil at the end of the leaf.
  func treeEntry(at path: TreePath) throws(PersistentCollectionError) -> FoundEntry? {
    guard let step = path.steps.last, step.index >= 0, step.index < step.count else { return nil }
    let place = place(ofEntry: step.index, step.node, level: 0)
    let object = ObjectReference(in: arena.load(place &+ 8))
    return FoundEntry(
      object: object, header: try header(of: object, foundAt: place &+ 8), slot: place &+ 8,
      bucket: 0, previousBucket: 0)
  }

  /// Moves a path to the next leaf, or to the one before; false at the end.
  func move(
    _ path: inout TreePath, forward: Bool
  ) throws(PersistentCollectionError) -> Bool {
    guard !path.steps.isEmpty else { return false }
    let height = path.steps.count &- 1
    var depth = height &- 1
    while depth >= 0 {
      let step = path.steps[depth]
      let index = forward ? step.index &+ 1 : step.index &- 1
      if index >= 0, index < step.count {
        path.steps.removeSubrange((depth &+ 1)...)
        path.steps[depth].index = index
        let level = height &- depth
        try descend(
          &path, to: child(index, of: step.node, level: level), level: level &- 1,
          atEnd: !forward)
        return true
      }
      depth &-= 1
    }
    return false
  }

  // MARK: For callers

  /// Calls `body` with the value of `key` and its metadata; returns nil if the map does not contain the key.
  package func treeValue<Result>(
    of key: RawSpan, _ body: (RawSpan, EntryMetadata) -> Result
  ) throws(PersistentCollectionError) -> Result? {
    let path = try treePath(to: key)
    guard path.isFound, let entry = try treeEntry(at: path) else { return nil }
    let metadata = metadata(of: entry)
    return try withBytes(at: entry.value, count: entry.header.valueByteCount) { body($0, metadata) }
  }

  /// Calls `body` with the entries from a bound on, in order, until it returns false.
  ///
  /// - Parameters:
  ///   - bound: where to begin; nil for the first entry, or the last one where `forward` is false.
  ///   - includesBound: whether the entry of the bound itself is among them.
  /// - Throws: ``PersistentCollectionError/damaged(_:)``.
  /// - Complexity: O(log n + entries).
  package func treeScan(
    from bound: RawSpan?, includesBound: Bool, forward: Bool,
    _ body: (RawSpan, RawSpan, EntryMetadata) -> Bool
  ) throws(PersistentCollectionError) {
    var path: TreePath
    if let bound { path = try treePath(to: bound) } else { path = try treePath(toEnd: !forward) }
    guard var last = path.steps.last else { return }
    if bound != nil {
      // The index is that of the first entry not before the bound.
      if forward {
        if path.isFound && !includesBound { last.index &+= 1 }
      } else if path.isFound && includesBound {
        last.index &+= 1
      }
      path.steps[path.steps.count &- 1] = last
    }
    // An entry has 32 bytes at least: a tree that contains itself is left when there cannot be more.
    var rest = arena.storage.memory.byteCount / 32
    while true {
      var step = path.steps[path.steps.count &- 1]
      while forward ? step.index < step.count : step.index > 0 {
        if !forward { step.index &-= 1 }
        path.steps[path.steps.count &- 1] = step
        guard let entry = try treeEntry(at: path) else { break }
        var goesOn = false
        try visit(entry) { goesOn = body($0, $1, $2) }
        guard goesOn, rest > 0 else { return }
        rest &-= 1
        if forward { step.index &+= 1 }
      }
      guard rest > 0, try move(&path, forward: forward) else { return }
      rest &-= 1
    }
  }
}
