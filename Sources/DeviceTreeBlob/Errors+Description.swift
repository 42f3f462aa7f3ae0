#if !hasFeature(Embedded)
  extension DeviceTreeWriterError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .outOfRoom(let byteCount):
        "the device tree needs \(byteCount) bytes, and the memory for it has fewer"
      case .namesOutOfRoom: "the memory for the names of the properties is too small"
      case .tooLarge: "the device tree would have 2^31 bytes or more"
      case .emptyName: "the name of a node or property is empty"
      case .nameTooLong(let byteCount):
        "a name has \(byteCount) bytes, and \(DeviceTree.maximumNameByteCount) are allowed"
      case .nameContainsNUL(let offset): "byte \(offset) of a name is 0, which would end it"
      case .nameContainsSlash(let offset):
        "byte \(offset) of a node's name is '/', which separates the names of a path"
      case .stringContainsNUL(let offset): "byte \(offset) of a string is 0, which would end it"
      case .propertyAfterChildNode:
        "a property was added after a child node; add all properties of a node first"
      case .noOpenNode: "a node was ended, but no node is open"
      case .unclosedNodes(let count):
        "\(count == 1 ? "1 node is" : "\(count) nodes are") still open; end them first"
      case .tooDeep: "nodes are nested more than \(DeviceTree.maximumDepth) deep"
      case .reservationAfterContent:
        "a memory reservation was added after a node or property; add all reservations first"
      case .badReservation: "a memory reservation of 0 bytes at 0, or one that ends after 2^64"
      }
    }
  }

  extension DeviceTreeEditError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .malformed(let error): "the device tree is malformed: \(error)"
      case .unwritable(let error): "the edited device tree cannot be written: \(error)"
      case .childExists(let offset): "the root has a child of that name already, at byte \(offset)"
      case .noSuchChild: "the root has no child of that name"
      case .noSuchProperty(let offset): "the node at byte \(offset) has no property of that name"
      case .wrongByteCount(let stored, let offset):
        "the value of the property at byte \(offset) has \(stored) bytes, and one of another length does "
          + "not fit in its place"
      case .unsupportedLayout:
        "the blocks are not in the order reservations, structure, strings; write a new device tree instead"
      }
    }
  }

  extension DeviceTreeWalkError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .malformed(let error): "the device tree changed while it was read: \(error)"
      case .stopped(let error): "\(error)"
      }
    }
  }
#endif
