/// One token of the structure block with what follows it. Offsets are bytes from the blob's start.
///
/// Source: Devicetree Specification v0.4, section 5.4.1.
enum StructureToken {
  /// A node begins; its name without the terminator.
  case beginNode(offset: Int, name: Range<Int>)
  /// A node ends.
  case endNode(offset: Int)
  /// A property; where its name starts in the strings block, and its value.
  case property(offset: Int, nameOffset: UInt32, value: Range<Int>)
  /// The structure ends.
  case end(offset: Int)

  static var beginNodeWord: UInt32 { 1 }
  static var endNodeWord: UInt32 { 2 }
  static var propertyWord: UInt32 { 3 }
  static var nopWord: UInt32 { 4 }
  static var endWord: UInt32 { 9 }
}

/// Steps through a structure block, forward only, so that work is bounded by the block's length.
struct StructureCursor: ~Escapable {
  let bytes: RawSpan
  /// Where the structure block ends.
  let end: Int
  /// The next token.
  private(set) var offset: Int

  /// A cursor at `offset` of the structure block that ends at `end`.
  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, at offset: Int, end: Int) {
    self.bytes = bytes
    self.offset = offset
    self.end = end
  }

  /// The next token that is not a NOP. The cursor moves only when a token was read.
  @_lifetime(self: copy self)
  mutating func next() throws(DeviceTreeError) -> StructureToken {
    var token = try word(at: offset)
    while token == StructureToken.nopWord {
      offset &+= 4
      token = try word(at: offset)
    }
    let start = offset
    switch token {
    case StructureToken.beginNodeWord:
      let name = try bytes.nameRange(at: start &+ 4, end: end)
      offset = try aligned(name.upperBound &+ 1, token: start)
      return .beginNode(offset: start, name: name)
    case StructureToken.endNodeWord:
      offset = start &+ 4
      return .endNode(offset: start)
    case StructureToken.propertyWord:
      let byteCount = try word(at: start &+ 4)
      let nameOffset = try word(at: start &+ 8)
      let value = start &+ 12
      guard UInt64(byteCount) <= UInt64(end &- value) else {
        throw .propertyTooLong(byteCount: byteCount, offset: start &+ 4)
      }
      let valueEnd = value &+ Int(truncatingIfNeeded: byteCount)
      offset = try aligned(valueEnd, token: start)
      return .property(offset: start, nameOffset: nameOffset, value: value..<valueEnd)
    case StructureToken.endWord:
      offset = start &+ 4
      return .end(offset: start)
    default:
      throw .unknownToken(token, offset: start)
    }
  }

  private func word(at offset: Int) throws(DeviceTreeError) -> UInt32 {
    guard offset <= end &- 4, let word = bytes.bigEndianWord(at: offset) else {
      throw .truncatedStructure(offset: offset)
    }
    return word
  }

  /// `offset` rounded up to a token's alignment.
  private func aligned(_ offset: Int, token: Int) throws(DeviceTreeError) -> Int {
    let rounded = (offset &+ 3) & ~3
    guard rounded <= end else { throw .truncatedStructure(offset: token) }
    return rounded
  }
}

extension RawSpan {
  /// The NUL-terminated name at `start`, without the NUL.
  func nameRange(at start: Int, end: Int) throws(DeviceTreeError) -> Range<Int> {
    var offset = start
    while offset < end, let byte = byte(at: offset) {
      if byte == 0 { return start..<offset }
      guard offset &- start < DeviceTree.maximumNameByteCount else {
        throw .nameTooLong(offset: start)
      }
      offset &+= 1
    }
    throw .unterminatedName(offset: start)
  }
}
