import MemoryAccess

// Changes of an ordered map. A node that gets or loses an entry is written anew beside the old one, which
// stays until the end of the transaction; then one word of its parent is changed. So a change of one
// entry costs some ten words of the ledger's log, however many entries the node has.

extension ByteMap where Storage: ~Copyable {
  /// Puts a value in the place of what is there, in one step.
  ///
  /// - Returns: whether the key is new.
  package mutating func treeSetValue(
    of key: RawSpan, byteCount: Int, metadata: EntryMetadata,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> Bool {
    try arena.begin()
    do throws(PersistentCollectionError) {
      guard key.byteCount <= Self.keyByteLimit, byteCount <= Self.valueByteLimit, byteCount >= 0
      else { throw .tooLarge }
      let path = try treePath(to: key)
      if path.isFound, let before = try treeEntry(at: path) {
        if Self.fitsInPlace(byteCount, of: before) {
          try overwrite(before, metadata: metadata, fill)
        } else {
          let object = try makeEntry(key, byteCount: byteCount, metadata: metadata, room: 0, fill)
          try arena.set(object.rawValue, at: before.slot)
          arena.unlinkObject(before.object)
        }
        try arena.end()
        return false
      }
      let object = try makeEntry(key, byteCount: byteCount, metadata: metadata, room: 0, fill)
      try insert(TreeEntry(prefix: keyPrefix(key), object: object.rawValue), at: path)
      try addToCount(1)
      try arena.end()
      return true
    } catch {
      try arena.abandon(after: error)
      throw error
    }
  }

  /// Adds bytes to the end of a value.
  ///
  /// - Returns: the size of the value then; nil where the key is not there.
  package mutating func treeAppend(
    _ bytes: RawSpan, to key: RawSpan
  ) throws(PersistentCollectionError) -> Int? {
    let path = try treePath(to: key)
    guard path.isFound, let entry = try treeEntry(at: path) else { return nil }
    let memory = arena.storage.memory
    let old = entry.header.valueByteCount
    let value = PhysicalRange(start: PhysicalAddress(entry.value), byteCount: UInt64(old))
    let metadata = metadata(of: entry)
    _ = try treeSetValue(of: key, byteCount: old + bytes.byteCount, metadata: metadata) { target in
      _ = memory.withBytes(in: value) { copy($0, to: &target) }
      copy(bytes, to: &target, at: old)
    }
    return old + bytes.byteCount
  }

  /// Removes the value of `key`; false if the map does not contain it.
  package mutating func treeRemoveValue(
    of key: RawSpan
  ) throws(PersistentCollectionError) -> Bool {
    let path = try treePath(to: key)
    guard path.isFound, let entry = try treeEntry(at: path) else { return false }
    try transaction { (map) throws(PersistentCollectionError) in
      map.arena.unlinkObject(entry.object)
      try map.removeEntry(at: path)
      try map.addToCount(-1)
    }
    return true
  }

  // MARK: Nodes

  func readNode(_ node: UInt64, level: Int) throws(PersistentCollectionError) -> TreeNode {
    let count = try entryCount(ofNode: node, level: level)
    var entries: [TreeEntry] = []
    entries.reserveCapacity(count &+ 1)
    for index in 0..<count {
      let place = place(ofEntry: index, node, level: level)
      entries.append(
        TreeEntry(
          prefix: arena.load(place), object: arena.load(place &+ 8),
          child: level == 0 ? 0 : arena.load(place &+ 16)))
    }
    return TreeNode(level: level, entries: entries)
  }

  /// Writes a node that nothing points to yet.
  private mutating func makeNode(
    _ level: Int, _ entries: ArraySlice<TreeEntry>
  ) throws(PersistentCollectionError) -> ObjectReference {
    let object = try arena.takeObject(
      byteCount: TreeNode.byteCount(level, count: entries.count),
      first: TreeNode.header(level: level, count: entries.count))
    arena.publish(0, at: object.address &+ 8)
    var place = object.address &+ TreeNode.headerByteCount
    for entry in entries {
      arena.publish(entry.prefix, at: place)
      arena.publish(entry.object, at: place &+ 8)
      if level > 0 { arena.publish(entry.child, at: place &+ 16) }
      place &+= TreeNode.entryByteCount(level)
    }
    return object
  }

  private mutating func unlinkNode(_ node: UInt64) {
    arena.unlinkObject(ObjectReference(address: node, isLarge: false))
  }

  /// Points the parent of the node at `depth` of a path to another one.
  private mutating func replace(
    at depth: Int, of path: TreePath, with node: ObjectReference
  ) throws(PersistentCollectionError) {
    guard depth > 0 else { return try arena.setRoot(node.rawValue, RootLayout.treeRoot) }
    let parent = path.steps[depth &- 1]
    let level = path.steps.count &- depth
    try arena.set(
      node.rawValue, at: place(ofEntry: parent.index, parent.node, level: level) &+ 16)
  }

  // MARK: Inserting

  private mutating func insert(
    _ entry: TreeEntry, at path: TreePath
  ) throws(PersistentCollectionError) {
    guard let last = path.steps.last else {
      let leaf = try makeNode(0, [entry])
      try arena.setRoot(leaf.rawValue, RootLayout.treeRoot)
      return try arena.setRoot(0, RootLayout.treeHeight)
    }
    try insert(entry, before: last.index, depth: path.steps.count &- 1, path)
  }

  /// Adds an entry to the node at `depth`; splits the node where it is full.
  private mutating func insert(
    _ entry: TreeEntry, before index: Int, depth: Int, _ path: TreePath
  ) throws(PersistentCollectionError) {
    let level = path.steps.count &- 1 &- depth
    let old = path.steps[depth].node
    var node = try readNode(old, level: level)
    let isLast = index == node.entries.count
    node.entries.insert(entry, at: index)
    unlinkNode(old)
    if node.entries.count <= node.capacity {
      return try replace(at: depth, of: path, with: makeNode(level, node.entries[...]))
    }
    // Keys that come in order fill their nodes.
    let half = isLast ? node.entries.count &- 1 : node.entries.count / 2
    var right = node.entries[half...]
    let separator: TreeEntry
    if level == 0 {
      separator = try makeSeparator(between: node.entries[half &- 1], and: node.entries[half])
    } else {
      // The first child of a node has no separator: its own goes up.
      separator = node.entries[half]
      right[half].prefix = 0
      right[half].object = 0
    }
    let leftNode = try makeNode(level, node.entries[..<half])
    let rightNode = try makeNode(level, right)
    var upper = separator
    upper.child = rightNode.rawValue
    if depth > 0 {
      try replace(at: depth, of: path, with: leftNode)
      return try insert(
        upper, before: path.steps[depth &- 1].index &+ 1, depth: depth &- 1, path)
    }
    guard level &+ 1 < TreeNode.heightLimit else { throw .limitReached }
    let first = TreeEntry(prefix: 0, object: 0, child: leftNode.rawValue)
    let root = try makeNode(level &+ 1, [first, upper])
    try arena.setRoot(root.rawValue, RootLayout.treeRoot)
    try arena.setRoot(UInt64(level &+ 1), RootLayout.treeHeight)
  }

  /// An object with the shortest key that is not before `right`'s and behind `left`'s.
  private mutating func makeSeparator(
    between left: TreeEntry, and right: TreeEntry
  ) throws(PersistentCollectionError) -> TreeEntry {
    let leftKey = try keyBytes(left.object)
    let rightKey = try keyBytes(right.object)
    var common = 0
    while common < leftKey.count, common < rightKey.count, leftKey[common] == rightKey[common] {
      common &+= 1
    }
    let key = Array(rightKey.prefix(common &+ 1))
    return try key.withRawSpan { (key) throws(PersistentCollectionError) in
      let object = try makeEntry(key, byteCount: 0, metadata: EntryMetadata(), room: 0) { _ in }
      return TreeEntry(prefix: keyPrefix(key), object: object.rawValue)
    }
  }

  func keyBytes(_ word: UInt64) throws(PersistentCollectionError) -> [UInt8] {
    let object = ObjectReference(in: word)
    let header = try header(of: object, foundAt: object.address)
    return try withBytes(
      at: object.address &+ EntryHeader.byteCount, count: header.keyByteCount
    ) { $0.copiedBytes() }
  }

  // MARK: Removing

  private mutating func removeEntry(at path: TreePath) throws(PersistentCollectionError) {
    let depth = path.steps.count &- 1
    try remove(path.steps[depth].index, depth: depth, path)
  }

  /// Takes an entry out of the node at `depth`; what it refers to is unlinked already.
  private mutating func remove(
    _ index: Int, depth: Int, _ path: TreePath
  ) throws(PersistentCollectionError) {
    let level = path.steps.count &- 1 &- depth
    let old = path.steps[depth].node
    var node = try readNode(old, level: level)
    guard index < node.entries.count else { throw .damaged(PhysicalAddress(old)) }
    node.entries.remove(at: index)
    if level > 0, index == 0, let first = node.entries.first {
      if first.object != 0 { arena.unlinkObject(ObjectReference(in: first.object)) }
      node.entries[0].prefix = 0
      node.entries[0].object = 0
    }
    unlinkNode(old)
    if node.entries.isEmpty {
      guard depth > 0 else {
        try arena.setRoot(0, RootLayout.treeRoot)
        return try arena.setRoot(0, RootLayout.treeHeight)
      }
      return try removeChild(depth: depth &- 1, path)
    }
    if depth == 0, level > 0, node.entries.count == 1 {
      // The only child becomes the root.
      try arena.setRoot(
        ObjectReference(in: node.entries[0].child).rawValue, RootLayout.treeRoot)
      return try arena.setRoot(UInt64(level &- 1), RootLayout.treeHeight)
    }
    if depth > 0, node.entries.count < node.minimum,
      try mergeWithAdjacent(node, depth: depth, path)
    {
      return
    }
    try replace(at: depth, of: path, with: makeNode(level, node.entries[...]))
  }

  /// Takes the child that a path goes through out of the node at `depth`.
  private mutating func removeChild(
    depth: Int, _ path: TreePath
  ) throws(PersistentCollectionError) {
    let step = path.steps[depth]
    let level = path.steps.count &- 1 &- depth
    let separator = arena.load(place(ofEntry: step.index, step.node, level: level) &+ 8)
    if step.index > 0, separator != 0 {
      arena.unlinkObject(ObjectReference(in: separator))
    }
    try remove(step.index, depth: depth, path)
  }

  /// Makes one node of a node that was just read, and unlinked, and of the one after or before it.
  ///
  /// - Returns: false where they do not fit into one.
  private mutating func mergeWithAdjacent(
    _ node: TreeNode, depth: Int, _ path: TreePath
  ) throws(PersistentCollectionError) -> Bool {
    let level = node.level
    let parent = path.steps[depth &- 1]
    guard parent.count > 1 else { return false }
    // The index of the right one of the two in the parent.
    let rightIndex = parent.index > 0 ? parent.index : 1
    let otherIndex = parent.index > 0 ? parent.index &- 1 : 1
    let otherNode = child(otherIndex, of: parent.node, level: level &+ 1)
    let other = try readNode(otherNode, level: level)
    guard other.entries.count &+ node.entries.count <= node.capacity else { return false }
    var left = parent.index > 0 ? other : node
    var right = parent.index > 0 ? node : other
    let separatorPlace = place(ofEntry: rightIndex, parent.node, level: level &+ 1)
    let separator = arena.load(separatorPlace &+ 8)
    if level > 0 {
      // The first child of the right node gets the separator back.
      right.entries[0].prefix = arena.load(separatorPlace)
      right.entries[0].object = separator
    } else if separator != 0 {
      arena.unlinkObject(ObjectReference(in: separator))
    }
    left.entries += right.entries
    unlinkNode(otherNode)
    let merged = try makeNode(level, left.entries[...])
    try arena.set(
      merged.rawValue, at: place(ofEntry: rightIndex &- 1, parent.node, level: level &+ 1) &+ 16)
    try remove(rightIndex, depth: depth &- 1, path)
    return true
  }
}
