#if !hasFeature(Embedded)
  extension DeviceTreeError {
    /// What was found at which byte of the blob.
    package var sentence: String {
      switch self {
      case .truncatedHeader(let offset):
        "the header of 40 bytes ends at byte \(offset)"
      case .badMagic(let magic, let offset):
        "the magic at byte \(offset) is \(hexadecimal(magic)) instead of 0xd00dfeed"
      case .unsupportedVersion(let version, let lastCompatibleVersion, let offset):
        "version \(version), last compatible version \(lastCompatibleVersion), at byte \(offset): "
          + "only 16 and 17 are read"
      case .totalSizeTooSmall(let byteCount, let offset):
        "the total size at byte \(offset) is \(byteCount), less than the header's 40 bytes"
      case .truncatedBlob(let totalByteCount, let offset):
        "it claims \(totalByteCount) bytes and ends at byte \(offset)"
      case .misalignedBlock(let value, let offset):
        "the header field at byte \(offset) is \(value), which is not aligned"
      case .blockOutOfBounds(let start, let byteCount, let offset):
        "the block of the header field at byte \(offset), \(byteCount) bytes from \(start) on, "
          + "reaches past the end"
      case .overlappingBlocks(let offset):
        "the block of the header field at byte \(offset) overlaps another"
      case .unterminatedReservations(let offset):
        "the memory reservations have no end before byte \(offset)"
      case .reservationOverflow(let offset):
        "the memory reservation at byte \(offset) runs past 2^64"
      case .truncatedStructure(let offset):
        "the structure block ends inside the token at byte \(offset)"
      case .unknownToken(let token, let offset):
        "\(hexadecimal(token)) at byte \(offset) is not a token"
      case .propertyTooLong(let byteCount, let offset):
        "a property of \(byteCount) bytes at byte \(offset) reaches past the structure block"
      case .propertyOutsideNode(let offset):
        "a property is outside the root, at byte \(offset)"
      case .propertyAfterChildNode(let offset):
        "a property follows a child node, at byte \(offset)"
      case .unmatchedEndNode(let offset):
        "a node ends that never began, at byte \(offset)"
      case .endInsideNode(let offset):
        "the structure ends inside a node, at byte \(offset)"
      case .missingRoot(let offset):
        "the structure ends without a root, at byte \(offset)"
      case .secondRoot(let offset):
        "a second root begins at byte \(offset)"
      case .tooDeep(let offset):
        "nodes are nested deeper than \(DeviceTree.maximumDepth), at byte \(offset)"
      case .rootHasName(let offset):
        "the root has a name, at byte \(offset)"
      case .emptyName(let offset):
        "a node or property has no name, at byte \(offset)"
      case .unterminatedName(let offset):
        "the name at byte \(offset) does not end"
      case .nameTooLong(let offset):
        "the name at byte \(offset) is longer than \(DeviceTree.maximumNameByteCount) bytes"
      case .nameOffsetOutOfBounds(let nameOffset, let offset):
        "the property at byte \(offset) has its name at \(nameOffset), outside the strings block"
      case .duplicateProperty(let offset):
        "a property appears twice in its node, at byte \(offset)"
      case .duplicateChild(let offset):
        "a child node appears twice in its node, at byte \(offset)"
      case .tooManyNamesToCompare(let offset):
        "too many names to compare, from byte \(offset) on"
      }
    }
  }

  private func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }

  extension DeviceTreeError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String { sentence }
  }
#endif
