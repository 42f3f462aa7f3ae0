internal import DeviceTreeBlob
internal import MemoryAccess

extension ForgedHandover {
  /// A machine's device tree, with the two properties in `/chosen` by which an arm64 kernel finds the
  /// handover.
  ///
  /// If the tree does not contain `/chosen`, the node is added. Properties of these names are replaced.
  ///
  /// - Parameter machine: the device tree, as `qemu-system-aarch64 -machine virt,dumpdtb=FILE` writes it.
  /// - Throws: ``ForgeError/deviceTreeInvalid(reason:)``.
  /// - Complexity: O(bytes).
  public func deviceTree(addingTo machine: [UInt8]) throws(ForgeError) -> [UInt8] {
    do throws(DeviceTreeEditError) {
      return try machine.withRawSpan { (bytes) throws(DeviceTreeEditError) in
        let tree: DeviceTree
        let hasChosen: Bool
        do throws(DeviceTreeError) {
          tree = try DeviceTree(validating: bytes)
          hasChosen = try tree.root.child(named: "chosen") != nil
        } catch {
          throw .malformed(error)
        }
        // The new properties take 64 bytes, a node and two names the rest.
        var edited = [UInt8](repeating: 0, count: tree.totalByteCount + 256)
        var span = edited.mutableSpan
        var target = span.rawBytes
        let byteCount =
          hasChosen
          ? try tree.write(into: &target, replacingChild: "chosen", with: "chosen") {
            (chosen) throws(DeviceTreeWriterError) in
            try writeChosen(of: tree, into: &chosen)
          }
          : try tree.write(into: &target, addingChild: "chosen") {
            (chosen) throws(DeviceTreeWriterError) in try writeProperties(into: &chosen)
          }
        return Array(edited[..<byteCount])
      }
    } catch {
      throw .deviceTreeInvalid(reason: "\(error)")
    }
  }

  @_lifetime(writer: copy writer)
  private func writeChosen(
    of tree: borrowing DeviceTree, into writer: inout DeviceTreeWriter
  ) throws(DeviceTreeWriterError) {
    let new = chosenProperties.map(\.name)
    // The tree was checked as a whole, and its bytes do not change: nothing is malformed here.
    guard let chosen = try? tree.root.child(named: "chosen") else { return }
    var properties = chosen.properties
    while let property = try? properties.next() {
      let name = property.nameString
      if !new.contains(name) { try writer.property(name, bytes: property.bytes) }
    }
    try writeProperties(into: &writer)
    var children = chosen.children
    while let child = try? children.next() { try writer.copy(child) }
  }

  @_lifetime(writer: copy writer)
  private func writeProperties(
    into writer: inout DeviceTreeWriter
  ) throws(DeviceTreeWriterError) {
    for property in chosenProperties {
      try property.value.withRawSpan { (bytes) throws(DeviceTreeWriterError) in
        try writer.property(property.name, bytes: bytes)
      }
    }
  }
}

extension DeviceTreeWriter {
  /// Writes a node of a checked tree, with its properties and children.
  @_lifetime(self: copy self)
  fileprivate mutating func copy(_ node: DeviceTreeNode) throws(DeviceTreeWriterError) {
    try beginNode(node.nameString)
    var properties = node.properties
    while let property = try? properties.next() {
      try self.property(property.nameString, bytes: property.bytes)
    }
    var children = node.children
    while let child = try? children.next() { try copy(child) }
    try endNode()
  }
}
