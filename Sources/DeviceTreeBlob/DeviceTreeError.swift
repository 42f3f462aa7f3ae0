/// Why bytes are not a flattened device tree that can be read: one case for each rule.
///
/// Every `offset` counts bytes from the blob's start and names the word, name or value that breaks
/// the rule.
///
/// Source: Devicetree Specification v0.4, chapter 5.
@nonexhaustive
public enum DeviceTreeError: Error, Hashable, Sendable {
  // Section 5.2, header.

  /// Fewer than 40 bytes; `offset` is where they end.
  case truncatedHeader(offset: Int)
  /// The first word is not 0xd00dfeed.
  case badMagic(UInt32, offset: Int)
  /// A version below 16, or one that says that readers of version 17 cannot read it.
  case unsupportedVersion(version: UInt32, lastCompatibleVersion: UInt32, offset: Int)
  /// The total size does not even hold the header.
  case totalSizeTooSmall(UInt32, offset: Int)
  /// Fewer bytes than the header's total size; `offset` is where they end.
  case truncatedBlob(totalByteCount: UInt32, offset: Int)
  /// A block starts at an unaligned offset, or has a length that is not a multiple of 4. `offset` is
  /// the header field that says so.
  case misalignedBlock(UInt32, offset: Int)
  /// A block reaches past the total size. `offset` is the header field with its start.
  case blockOutOfBounds(start: UInt32, byteCount: UInt32, offset: Int)
  /// A block shares bytes with the header or another block. `offset` is the header field with its
  /// start.
  case overlappingBlocks(offset: Int)

  // Section 5.3, memory reservation block.

  /// The list of reservations runs into the blob's end; `offset` is the entry that does not fit.
  case unterminatedReservations(offset: Int)
  /// A reservation that runs past 2^64.
  case reservationOverflow(offset: Int)

  // Section 5.4, structure block.

  /// The structure block ends inside a token, its name or its value.
  case truncatedStructure(offset: Int)
  /// A word in the place of a token is not a token.
  case unknownToken(UInt32, offset: Int)
  /// A property value that reaches past the structure block. `offset` is its length word.
  case propertyTooLong(byteCount: UInt32, offset: Int)
  /// A property before the root or after its end.
  case propertyOutsideNode(offset: Int)
  /// A property that follows a child node of its own node.
  case propertyAfterChildNode(offset: Int)
  /// An end of a node where none is open.
  case unmatchedEndNode(offset: Int)
  /// The end token while a node is open.
  case endInsideNode(offset: Int)
  /// The end token without a node before it.
  case missingRoot(offset: Int)
  /// A second node beside the root.
  case secondRoot(offset: Int)
  /// A node nested deeper than ``DeviceTree/maximumDepth``.
  case tooDeep(offset: Int)

  // Names: of nodes in the structure block, of properties in the strings block.

  /// A root with a name.
  case rootHasName(offset: Int)
  /// A node other than the root, or a property, without a name.
  case emptyName(offset: Int)
  /// A name that the end of its block cuts off.
  case unterminatedName(offset: Int)
  /// A name longer than ``DeviceTree/maximumNameByteCount``.
  case nameTooLong(offset: Int)
  /// A property whose name is outside the strings block. `offset` is the word that says so.
  case nameOffsetOutOfBounds(UInt32, offset: Int)

  // Uniqueness, see `DeviceTree.checkNamesAreUnique(readingAtMost:)`.

  /// A property with the name of an earlier one of the same node.
  case duplicateProperty(offset: Int)
  /// A node with the name of an earlier child of the same node.
  case duplicateChild(offset: Int)
  /// So many names that comparing them was given up; `offset` is the first not compared.
  case tooManyNamesToCompare(offset: Int)
}
