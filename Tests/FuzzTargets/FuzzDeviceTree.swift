internal import KexecHandover

/// Reads `bytes` as a flattened device tree by every accessor, copies it and edits it, and traps
/// where a promise of the reader or the writer does not hold.
public func fuzzDeviceTree(_ bytes: RawSpan) {
  guard let tree = try? DeviceTree(validating: bytes) else { return }
  let contents = Outline(of: tree)
  for index in -1...tree.reservationCount { _ = tree.reservation(at: index) }
  try? tree.checkNamesAreUnique(readingAtMost: 10_000)
  _ = try? RootDeviceTree(parsing: bytes)

  addAndRemoveChild(tree, contents)
  setFirstProperty(tree, contents)
  editInPlace(bytes, contents)
  rewrite(tree, contents)
}

/// A name that an input hardly has.
private let newName = "fuzz@1"

/// Everything a tree says, as bytes that can be compared.
private struct Outline: Equatable {
  var bytes: [UInt8] = []
  /// The first property of the root, if there is one.
  var firstProperty: (name: String, value: [UInt8])?

  static func == (lhs: Outline, rhs: Outline) -> Bool { lhs.bytes == rhs.bytes }

  /// Walks all of `tree`, which cannot fail, because its bytes do not change.
  init(of tree: borrowing DeviceTree) {
    do throws(DeviceTreeError) {
      var nodes = tree.nodes
      while let node = try nodes.next() {
        bytes.append(1)
        append(UInt64(node.depth))
        append(node.name.bytes)
        _ = node.name.isStandardName
        var properties = node.properties
        while let property = try properties.next() {
          read(property)
          bytes.append(2)
          append(property.name.bytes)
          append(property.bytes)
          if firstProperty == nil, node.depth == 0 {
            firstProperty = (property.nameString, property.bytes.copiedBytes())
          }
        }
        var children = node.children
        while let child = try children.next() { _ = child.depth }
      }
    } catch {
      fatalError("a walk over a valid tree failed: \(error)")
    }
  }

  private mutating func append(_ value: UInt64) {
    for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  private mutating func append(_ value: RawSpan) {
    append(UInt64(value.byteCount))
    bytes += value.copiedBytes()
  }

  private func read(_ property: borrowing DeviceTreeProperty) {
    _ = property.nativeUInt64
    _ = property.nativeUInt32
    _ = property.bigEndianUInt64
    _ = property.bigEndianUInt32
    _ = property.bigEndianUInt64Pair
    for index in -1...(property.bigEndianCellCount ?? 0) { _ = property.bigEndianCell(at: index) }
    _ = property.string?.string
    if var strings = property.strings {
      var byteCount = 0
      while let next = strings.next() { byteCount += next.byteCount + 1 }
      promise(byteCount == property.byteCount, "strings that do not fill their property")
    }
  }
}

extension [UInt8] {
  fileprivate mutating func withMutableRawSpan<Result, Failure: Error>(
    _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = mutableSpan
    // SAFETY: any byte stored is a valid UInt8. The span's `rawBytes` is of the library's own package.
    var bytes = unsafe span.mutableBytes
    return try body(&bytes)
  }

  fileprivate func outline() -> Outline {
    withRawSpan { bytes in
      do throws(DeviceTreeError) {
        return Outline(of: try DeviceTree(validating: bytes))
      } catch {
        fatalError("what was written cannot be read: \(error)")
      }
    }
  }
}

private func writeNewChild(
  _ writer: inout DeviceTreeWriter
) throws(DeviceTreeWriterError) {
  try writer.property("compatible", string: "fuzz")
  try writer.property("a", nativeUInt64: 1)
  try writer.beginNode("below")
  try writer.property("a", bigEndianUInt32: 1)
  try writer.endNode()
}

/// Copies with a child more, into a buffer as large as the first, too small one asked for; then
/// without it again.
private func addAndRemoveChild(_ tree: borrowing DeviceTree, _ contents: Outline) {
  func adding(_ buffer: inout [UInt8]) throws(DeviceTreeEditError) {
    _ = try buffer.withMutableRawSpan { memory throws(DeviceTreeEditError) in
      try tree.write(into: &memory, addingChild: newName) {
        writer throws(DeviceTreeWriterError) in try writeNewChild(&writer)
      }
    }
  }
  var added = [UInt8](repeating: 0xaa, count: tree.totalByteCount / 2)
  do throws(DeviceTreeEditError) {
    do throws(DeviceTreeEditError) {
      try adding(&added)
    } catch .unwritable(.outOfRoom(let byteCountNeeded)) {
      added = [UInt8](repeating: 0xaa, count: byteCountNeeded)
      try adding(&added)
    }
    var removed = [UInt8](repeating: 0xaa, count: added.count)
    try added.withRawSpan { bytes throws(DeviceTreeEditError) in
      guard let tree = try? DeviceTree(validating: bytes) else {
        fatalError("an added child broke the tree")
      }
      _ = try removed.withMutableRawSpan { memory throws(DeviceTreeEditError) in
        try tree.write(into: &memory, removingChild: newName)
      }
    }
    promise(removed.outline() == contents, "adding and removing changed the tree")
  } catch .childExists {
    return
  } catch {
    fatalError("a valid tree cannot be copied: \(error)")
  }
}

/// Turns the value of the first property around.
private func setFirstProperty(_ tree: borrowing DeviceTree, _ contents: Outline) {
  guard let (name, value) = contents.firstProperty else { return }
  var copy = [UInt8](repeating: 0xaa, count: tree.totalByteCount)
  do throws(DeviceTreeEditError) {
    _ = try copy.withMutableRawSpan { memory throws(DeviceTreeEditError) in
      try Array(value.reversed()).withRawSpan { value throws(DeviceTreeEditError) in
        try tree.write(into: &memory, settingProperty: name, to: value)
      }
    }
    let isSet = copy.outline().firstProperty.map { $0.value == value.reversed() } ?? false
    promise(isSet, "value not set")
  } catch .noSuchProperty {
    // A name that is not UTF-8.
    return
  } catch {
    fatalError("a property of a valid tree cannot be set: \(error)")
  }
}

/// Adds a child and removes it in the buffer where the tree is.
private func editInPlace(_ bytes: RawSpan, _ contents: Outline) {
  var buffer = bytes.copiedBytes() + [UInt8](repeating: 0xaa, count: 256)
  buffer.withMutableRawSpan { memory in
    do throws(DeviceTreeError) {
      var editor = try DeviceTreeEditor(validating: &memory)
      do throws(DeviceTreeEditError) {
        try editor.addChild(newName) {
          writer throws(DeviceTreeWriterError) in try writeNewChild(&writer)
        }
        try editor.removeChild(newName)
      } catch .childExists {
        return
      } catch .unsupportedLayout {
        return
      } catch .unwritable(.outOfRoom) {
        return
      } catch {
        fatalError("a valid tree cannot be edited: \(error)")
      }
    } catch {
      fatalError("a valid tree is not valid any more: \(error)")
    }
  }
  // Edited or not: the same tree.
  promise(buffer.outline() == contents, "editing in place changed the tree")
}

extension DeviceTreeNodes {
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  fileprivate mutating func nextOfSound() -> DeviceTreeNode? {
    do throws(DeviceTreeError) { return try next() } catch { fatalError("a walk failed: \(error)") }
  }
}

extension DeviceTreeProperties {
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  fileprivate mutating func nextOfSound() -> DeviceTreeProperty? {
    do throws(DeviceTreeError) { return try next() } catch { fatalError("a walk failed: \(error)") }
  }
}

private func copy(
  _ tree: borrowing DeviceTree, to writer: inout DeviceTreeWriter
) throws(DeviceTreeWriterError) {
  var depth = 0
  var nodes = tree.nodes
  while let node = nodes.nextOfSound() {
    if node.depth > 0 {
      while depth >= node.depth {
        try writer.endNode()
        depth -= 1
      }
      try writer.beginNode(node.nameString)
      depth += 1
    }
    var properties = node.properties
    while let property = properties.nextOfSound() {
      try writer.property(property.nameString, bytes: property.bytes)
    }
  }
  while depth > 0 {
    try writer.endNode()
    depth -= 1
  }
}

/// Writes the tree anew from what reading it gives.
private func rewrite(_ tree: borrowing DeviceTree, _ contents: Outline) {
  // Of a byte that is not UTF-8, the name as a `String` has three.
  var names = [UInt8](repeating: 0, count: tree.totalByteCount * 3)
  do throws(DeviceTreeWriterError) {
    let count = try names.withMutableRawSpan { memory throws(DeviceTreeWriterError) in
      try DeviceTreeWriter.exactByteCount(withNamesIn: &memory) {
        writer throws(DeviceTreeWriterError) in try copy(tree, to: &writer)
      }
    }
    var written = [UInt8](repeating: 0xaa, count: count)
    let writtenCount = try written.withMutableRawSpan { memory throws(DeviceTreeWriterError) in
      try DeviceTreeWriter.write(into: &memory) {
        writer throws(DeviceTreeWriterError) in try copy(tree, to: &writer)
      }
    }
    promise(writtenCount == count, "another length than was counted")
    let copied = written.outline()
    let isASCII = contents.bytes.allSatisfy { $0 < 0x80 }
    promise(!isASCII || copied == contents, "the rewritten tree differs")
  } catch .nameContainsSlash {
    return
  } catch .nameTooLong {
    return
  } catch {
    fatalError("a valid tree cannot be written: \(error)")
  }
}
