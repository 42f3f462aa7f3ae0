extension DeviceTree {
  /// Checks that no two properties and no two children of one node have the same name.
  ///
  /// Apart from ``init(validating:)``, which lets the first of two win as every lookup does, because
  /// comparing takes time that grows with the square of a node's length. `tokenCount` bounds it.
  ///
  /// - Parameter tokenCount: how many tokens to read for comparing before giving up.
  /// - Throws: ``DeviceTreeError/duplicateProperty(offset:)``,
  ///   ``DeviceTreeError/duplicateChild(offset:)``,
  ///   ``DeviceTreeError/tooManyNamesToCompare(offset:)``, or another ``DeviceTreeError`` where the
  ///   bytes have changed since they were checked.
  /// - Complexity: O(*n* + `tokenCount`), times the length of a name.
  public func checkNamesAreUnique(
    readingAtMost tokenCount: Int = 1 << 24
  ) throws(DeviceTreeError) {
    var budget = tokenCount
    var nodes = self.nodes
    while let node = try nodes.next() {
      var properties = node.properties
      while let property = try properties.next() {
        // The rest of the node, from behind the property on.
        var later = properties
        while let other = try later.next() {
          budget &-= 1
          guard budget >= 0 else { throw .tooManyNamesToCompare(offset: other.offset) }
          if other.name.equals(property.name.bytes) {
            throw .duplicateProperty(offset: other.offset)
          }
        }
      }
      var children = node.children
      while let child = try children.next() {
        var later = children
        var isLast = false
        while !isLast {
          let start = later.offset
          if let other = try later.next() {
            if other.name.equals(child.name.bytes) { throw .duplicateChild(offset: other.offset) }
          } else {
            isLast = true
          }
          // Tokens skipped on the way are paid for by their bytes; a token has at least four.
          budget &-= (later.offset &- start) / 4
          guard budget >= 0 else { throw .tooManyNamesToCompare(offset: child.offset) }
        }
      }
    }
  }
}
