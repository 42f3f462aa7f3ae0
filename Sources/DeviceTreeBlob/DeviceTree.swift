/// A flattened device tree in memory that another program wrote, and may still be writing.
///
/// ```
/// | header | memory reservations | structure: begin "" … end, END | strings: names of properties |
/// ```
///
/// ``init(validating:)`` checks everything once. Later reads check again, so that no change of the
/// bytes can lead outside the blob, into a trap or into an endless walk: they throw instead. Names
/// and values are lent views of the memory; read a value once where you decide by it.
///
/// Nodes and properties are found by walking, since the format has no index.
///
/// Source: Devicetree Specification v0.4, chapter 5.
public struct DeviceTree: ~Escapable {
  /// The deepest nesting that is read; the root has depth 0.
  public static var maximumDepth: Int { 64 }
  /// The longest name that is read or written, in bytes without the terminator.
  ///
  /// The specification allows 31; writers in the field do not hold to it. A bound there must be, or
  /// many properties sharing one endless name would make reading quadratic.
  public static var maximumNameByteCount: Int { 255 }

  let bytes: RawSpan
  let layout: DeviceTreeLayout
  /// The begin token of the root.
  let rootOffset: Int
  /// What follows the end token.
  let structureEnd: Int

  /// Checks the blob at the start of `bytes`; what follows it is ignored.
  ///
  /// Checked: the header and its version; that header, memory reservations, structure and strings
  /// are inside the blob, aligned and apart; that the reservations end; that the blob has one root,
  /// without a name; that nodes nest, that properties come before child nodes, that every name is
  /// terminated inside its block, and that the end token follows.
  ///
  /// Accepted: NOP tokens, anything between the end token and the block's end, any order of the
  /// blocks, slack between and after them, and the shorter header of version 16. Names may hold any
  /// byte but NUL, see ``DeviceTreeString/isStandardName``; the first of two equal names is found,
  /// see ``checkNamesAreUnique(readingAtMost:)``.
  ///
  /// - Throws: ``DeviceTreeError`` with the first rule that is broken and where.
  /// - Complexity: O(*n*), where *n* is the length of the blob, without recursion or heap memory.
  ///   The constant holds the length of the longest name.
  @_lifetime(copy bytes)
  public init(validating bytes: RawSpan) throws(DeviceTreeError) {
    let layout = try DeviceTreeLayout(checking: bytes)
    let structure = try StructureSummary(checking: bytes, layout: layout)
    self.bytes = bytes
    self.layout = layout
    self.rootOffset = structure.rootOffset
    self.structureEnd = structure.end
  }

  /// The header that was checked.
  public var header: DeviceTreeHeader { layout.header }

  /// The length of the blob in bytes, as the header says.
  public var totalByteCount: Int { layout.totalByteCount }

  /// The node without a name that holds all others.
  public var root: DeviceTreeNode {
    @_lifetime(copy self)
    get {
      // The name of a root is empty: token, then a terminator that padding completes to a word.
      DeviceTreeNode(
        tree: self, offset: rootOffset, name: (rootOffset &+ 4)..<(rootOffset &+ 4),
        body: rootOffset &+ 8, depth: 0)
    }
  }

  /// The number of entries in the memory reservation block; the kernel must not touch those areas.
  public var reservationCount: Int { layout.reservations.count / 16 }

  /// The address and length in bytes of the reservation at `index`; nil if none exists.
  public func reservation(at index: Int) -> (address: UInt64, byteCount: UInt64)? {
    guard index >= 0, index < reservationCount else { return nil }
    let offset = layout.reservations.lowerBound &+ index &* 16
    guard let address = bytes.uint64(at: offset),
      let byteCount = bytes.uint64(at: offset &+ 8)
    else { return nil }
    return (UInt64(bigEndian: address), UInt64(bigEndian: byteCount))
  }

  /// Where the name of a property is in the blob.
  func propertyName(at nameOffset: UInt32, of property: Int) throws(DeviceTreeError) -> Range<Int> {
    try bytes.propertyName(at: nameOffset, of: property, layout: layout)
  }
}

extension RawSpan {
  /// Where the name of the property whose token is at `property` is.
  func propertyName(
    at nameOffset: UInt32, of property: Int, layout: DeviceTreeLayout
  ) throws(DeviceTreeError) -> Range<Int> {
    guard UInt64(nameOffset) < UInt64(layout.strings.count) else {
      throw .nameOffsetOutOfBounds(nameOffset, offset: property &+ 8)
    }
    let start = layout.strings.lowerBound &+ Int(truncatingIfNeeded: nameOffset)
    let name = try nameRange(at: start, end: layout.strings.upperBound)
    guard !name.isEmpty else { throw .emptyName(offset: start) }
    return name
  }
}
