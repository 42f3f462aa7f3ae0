import MemoryAccess

extension ByteMap where Storage: ~Copyable {
  /// Looks at every node, entry, slab and list of an ordered map.
  ///
  /// - Complexity: O(entries + slots).
  package func checkTree() -> PersistentMapReport {
    var checker = MapChecker()
    do throws(PersistentCollectionError) {
      let root = ObjectReference(in: arena.loadRoot(RootLayout.treeRoot)).address
      var last: [UInt8]?
      if root != 0 { try checkNode(root, level: try treeHeight(), &last, &checker) }
    } catch {
      if case .damaged(let address) = error { checker.add(.damaged(address)) }
    }
    finishCheck(&checker)
    return checker.report
  }

  /// What all kinds of collections have in common: slabs, large objects, counts.
  func finishCheck(_ checker: inout MapChecker) {
    checkExtents(&checker)
    checkLargeObjects(&checker)
    let byteCount = checker.report.pieces.reduce(0 as UInt64) { $0 &+ $1.byteCount }
    checker.compare(RootLayout.storageByteCount, with: byteCount, in: arena)
    checker.compare(RootLayout.entryCount, with: checker.report.entryCount, in: arena)
  }

  private func checkNode(
    _ node: UInt64, level: Int, _ last: inout [UInt8]?, _ checker: inout MapChecker
  ) throws(PersistentCollectionError) {
    let content = try readNode(node, level: level)
    guard checker.objects.insert(node).inserted else {
      return checker.add(.usedTwice(PhysicalAddress(node)))
    }
    for (index, entry) in content.entries.enumerated() {
      if level > 0, index == 0 {
        try checkNode(
          ObjectReference(in: entry.child).address, level: level - 1, &last, &checker)
        continue
      }
      let object = ObjectReference(in: entry.object)
      let header = try header(of: object, foundAt: node)
      let key = try keyBytes(entry.object)
      let isNew =
        object.isLarge
        ? checker.largeObjects.insert(object.address).inserted
        : checker.objects.insert(object.address).inserted
      if !isNew { checker.add(.usedTwice(PhysicalAddress(object.address))) }
      let isBehind = last.map { isBefore($0, key) } ?? true
      if !isBehind || key.withRawSpan({ keyPrefix($0) }) != entry.prefix {
        checker.add(.misplaced(PhysicalAddress(object.address)))
      }
      if level == 0 {
        last = key
        checker.report.entryCount &+= 1
        checker.report.payloadByteCount &+=
          UInt64(header.keyByteCount) &+ UInt64(header.valueByteCount)
      } else {
        // The first key behind a separator may be equal to it.
        try checkNode(
          ObjectReference(in: entry.child).address, level: level - 1, &last, &checker)
      }
    }
  }

  private func isBefore(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    one.withRawSpan { one in other.withRawSpan { compareBytes(one, $0) < 0 } }
  }
}
