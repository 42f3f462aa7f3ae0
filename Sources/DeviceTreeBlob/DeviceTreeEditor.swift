/// Edits a device tree where it is, in memory with room to spare.
///
/// ```
/// | header | reservations | structure … ✂ end, END | strings | room |
///                                       ↑ a new child is written into the room, then turned to here
/// ```
///
/// For a loader on arm64: it adds `linux,kho-fdt` and `linux,kho-scratch` to the `chosen` node of the next kernel's
/// tree, in the buffer that contains it, before an allocator runs. This package itself writes new blobs instead.
///
/// On an error the tree is as it was; the room behind it may have been cleared. While bytes move,
/// the first word is not the magic number, so a crash leaves no blob rather than a wrong one. Where
/// even that is too much, write a new blob and switch a pointer: ``DeviceTree``'s `write(into:…)`.
public struct DeviceTreeEditor: ~Copyable, ~Escapable {
  private var memory: MutableRawSpan

  /// Checks the blob at the start of `memory`, all of which the editor may use.
  ///
  /// - Throws: as ``DeviceTree/init(validating:)``.
  @_lifetime(&memory)
  public init(validating memory: inout MutableRawSpan) throws(DeviceTreeError) {
    _ = try DeviceTree(validating: memory.bytes)
    self.memory = memory._mutatingExtracting(0..<memory.byteCount)
  }

  /// The tree as it is now.
  ///
  /// - Throws: ``DeviceTreeError`` where another program has changed the bytes.
  /// - Complexity: O(*n*) in the length of the blob, which is checked again.
  @_lifetime(borrow self)
  public borrowing func tree() throws(DeviceTreeError) -> DeviceTree {
    try DeviceTree(validating: memory.bytes)
  }

  /// Adds a child of the root, behind the others; gives the new length of the blob in bytes.
  ///
  /// - Throws: ``DeviceTreeEditError/childExists(offset:)``,
  ///   ``DeviceTreeEditError/unwritable(_:)`` with what `properties` throws or the room needed,
  ///   ``DeviceTreeEditError/unsupportedLayout``, ``DeviceTreeEditError/malformed(_:)``.
  /// - Complexity: O(*n*) in the length of the blob.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func addChild(
    _ name: String,
    _ properties: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws(DeviceTreeEditError) -> Int {
    let plan = try EditPlan(of: memory.bytes, addingChild: name)
    let used = plan.layout.strings.upperBound
    let capacity = memory.byteCount

    var structureByteCount = 0
    var newStrings = 0..<0
    do throws(DeviceTreeWriterError) {
      var writer = DeviceTreeWriter(
        behindBlobIn: &memory, at: used, sharedStrings: plan.layout.strings)
      try writer.writeNode(NameBuffer(checking: name), properties)
      guard !writer.isOutOfRoom else {
        throw .outOfRoom(byteCountNeeded: try writer.byteCountNeeded())
      }
      _ = try writer.byteCountNeeded()
      writer.resolveNames()
      structureByteCount = writer.structureByteCount
      newStrings = writer.storedStrings
    } catch {
      memory.clear(used..<capacity)
      throw .unwritable(error)
    }

    memory.storeBigEndian(0, at: 0)
    let oldEnd = used &+ structureByteCount
    // Three reversals exchange the two neighbours, the blob's tail and the new child.
    memory.reverse(plan.edited.lowerBound..<used)
    memory.reverse(used..<oldEnd)
    memory.reverse(plan.edited.lowerBound..<oldEnd)
    memory.moveDown(newStrings, to: oldEnd)
    let total = oldEnd &+ newStrings.count
    memory.clear(max(total, newStrings.lowerBound)..<capacity)
    let structure = plan.layout.structure
    memory.writeHeader(
      totalByteCount: total,
      structure: structure.lowerBound..<(structure.upperBound &+ structureByteCount),
      strings: (plan.layout.strings.lowerBound &+ structureByteCount)..<total,
      reservations: plan.layout.reservations.lowerBound, bootCPU: plan.layout.header.bootCPU)
    return total
  }

  /// Removes the root's child `name`; gives the new length of the blob in bytes.
  ///
  /// Names of properties that nothing uses any more stay, and are used again by a child that is
  /// added.
  ///
  /// - Throws: ``DeviceTreeEditError/noSuchChild``, ``DeviceTreeEditError/unsupportedLayout``,
  ///   ``DeviceTreeEditError/malformed(_:)``.
  /// - Complexity: O(*n*) in the length of the blob.
  @discardableResult
  @_lifetime(self: copy self)
  public mutating func removeChild(_ name: String) throws(DeviceTreeEditError) -> Int {
    let plan = try EditPlan(of: memory.bytes, removingChild: name)
    let used = plan.layout.strings.upperBound
    let byteCount = plan.edited.count
    memory.storeBigEndian(0, at: 0)
    memory.moveDown(plan.edited.upperBound..<used, to: plan.edited.lowerBound)
    memory.clear((used &- byteCount)..<used)
    let structure = plan.layout.structure
    let strings = plan.layout.strings
    memory.writeHeader(
      totalByteCount: used &- byteCount,
      structure: structure.lowerBound..<(structure.upperBound &- byteCount),
      strings: (strings.lowerBound &- byteCount)..<(strings.upperBound &- byteCount),
      reservations: plan.layout.reservations.lowerBound, bootCPU: plan.layout.header.bootCPU)
    return used &- byteCount
  }

  /// Stores another value of the same length for a property of the root, or of its child `child`.
  ///
  /// Byte by byte: a reader may see half of it meanwhile.
  ///
  /// - Throws: ``DeviceTreeEditError/noSuchChild``, ``DeviceTreeEditError/noSuchProperty(offset:)``,
  ///   ``DeviceTreeEditError/wrongByteCount(stored:offset:)``,
  ///   ``DeviceTreeEditError/malformed(_:)``.
  /// - Complexity: O(*n*) in the length of the blob.
  @_lifetime(self: copy self)
  public mutating func setProperty(
    _ name: String, ofChild child: String? = nil, to value: RawSpan
  ) throws(DeviceTreeEditError) {
    let range = try memory.bytes.valueRange(
      ofProperty: name, child: child, byteCount: value.byteCount)
    memory.overwrite(range, with: value)
  }
}
