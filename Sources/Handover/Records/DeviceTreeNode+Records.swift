import DeviceTreeBlob
import MemoryAccess

// Records that are device trees, read by the names of their properties.

extension DeviceTreeNode {
  /// Checks that the node's `compatible` is `expected`, or a list with it.
  ///
  /// - Throws: ``RecordError/formatUnknown(_:)`` where it is another.
  func require(compatible expected: String) throws(RecordError) {
    let found = try value(of: "compatible") { property in
      guard var strings = property.strings, let first = strings.next() else {
        return nil as (isExpected: Bool, text: String)?
      }
      if first.equals(expected) { return (true, "") }
      while let next = strings.next() {
        if next.equals(expected) { return (true, "") }
      }
      return (false, first.string)
    }
    if !found.isExpected { throw .formatUnknown(found.text) }
  }

  /// The property `name` as a 64-bit integer in the machine's byte order.
  func recordUInt64(_ name: String) throws(RecordError) -> UInt64 {
    try value(of: name) { $0.nativeUInt64 }
  }

  /// The property `name` as a 32-bit integer in the machine's byte order.
  func recordUInt32(_ name: String) throws(RecordError) -> UInt32 {
    try value(of: name) { $0.nativeUInt32 }
  }

  /// What `read` makes of the property `name`.
  ///
  /// - Throws: ``RecordError/propertyWrong(_:byteCount:)`` if the property is missing or `read` returns nil.
  func value<Value>(
    of name: String, _ read: (borrowing DeviceTreeProperty) -> Value?
  ) throws(RecordError) -> Value {
    var byteCount: Int?
    do throws(DeviceTreeError) {
      if let property = try property(named: name) {
        byteCount = property.byteCount
        if let value = read(property) { return value }
      }
    } catch {
      throw .deviceTreeMalformed(error)
    }
    throw .propertyWrong(name, byteCount: byteCount)
  }

  /// The child node `name`.
  ///
  /// - Throws: ``RecordError/nodeMissing(_:)`` if the node is missing.
  @_lifetime(copy self)
  func recordChild(_ name: String) throws(RecordError) -> DeviceTreeNode {
    do throws(DeviceTreeError) {
      if let child = try child(named: name) { return child }
    } catch {
      throw .deviceTreeMalformed(error)
    }
    throw .nodeMissing(name)
  }
}

extension DeviceTree {
  /// Calls `body` with the root of the device tree in `bytes`.
  static func withRecordRoot<Result>(
    of bytes: [UInt8], _ body: (borrowing DeviceTreeNode) throws(RecordError) -> Result
  ) throws(RecordError) -> Result {
    try bytes.withRawSpan { (bytes) throws(RecordError) in
      let tree: DeviceTree
      do throws(DeviceTreeError) {
        tree = try DeviceTree(validating: bytes)
      } catch {
        throw .deviceTreeMalformed(error)
      }
      return try body(tree.root)
    }
  }
}
