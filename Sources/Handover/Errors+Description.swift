#if !hasFeature(Embedded)
  import DeviceTreeBlob
  import MemoryAccess
  import PageAllocation
  import PreservedPages

  // What was found and where, in a part of a sentence; `summary` has the same without numbers.

  extension EarlyHandoverError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .unreadable(let address): "the root device tree at \(address) is not in memory"
      case .tooLarge(let byteCount):
        "the root device tree has \(byteText(byteCount)), and at most "
          + "\(byteText(RootDeviceTree.largestByteCount)) are read"
      case .malformed(let error): "the root device tree is malformed: \(error)"
      case .versionUnknown:
        "the handover has a format that cannot be read without a heap; use IncomingHandover"
      case .mapMissing: "the root device tree does not point to the tree of preserved pages"
      case .damaged(let finding):
        "the tree of preserved pages is damaged, so pages may be missing from it: \(finding)"
      case .notReserved(let error): "preserved memory cannot be reserved: \(error)"
      }
    }
  }

  extension IncomingHandoverError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .damaged(let finding): "the handover is damaged, and nothing of it is used: \(finding)"
      case .noSuchSubtree: "the handover has no subtree of that name"
      case .subtreeNotPreserved(let address):
        "the subtree at \(address) is outside memory, or its pages are not preserved"
      case .misaligned(let block): "\(block.text) is not aligned to its size"
      case .neverPreserved(let block): "\(block.text) was not preserved"
      case .differsFromEntry(let block, let entry):
        "\(block.text) was preserved as \(entry.text); restore it as that"
      case .alreadyRestored(let block): "\(block.text) was restored before"
      case .areaDamaged(let error): "the area cannot be read: \(error)"
      case .outOfFrames: "no page frame is left to record what was restored; free memory first"
      }
    }
  }

  extension OutgoingHandoverError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .versionNotWritable(let version, let geometry):
        "handovers of \(version.compatible) with pages of \(byteText(UInt64(geometry.pageByteCount))) "
          + "are read and not written"
      case .outOfFrames(let frameCount):
        "no \(countText(frameCount, "page frame")) \(frameCount == 1 ? "is" : "are") left for the "
          + "handover; free memory first"
      case .misaligned(let block): "\(block.text) is not aligned to its size"
      case .outsideMemory(let range): "\(range) is not memory, or only in part"
      case .overlapsEntry(let block, let entry):
        "\(block.text) overlaps \(entry.text), which is preserved; unpreserve that first"
      case .overlapsDeviceTree(let block, let deviceTree):
        "\(block.text) overlaps the root device tree, \(deviceTree.text)"
      case .overlapsScratch(let block, let area):
        "\(block.text) overlaps scratch memory \(area.range), where nothing can be preserved"
      case .holdsSubtree(let block, let subtree):
        "\(block.text) contains a part of the subtree \(subtree); remove the subtree first"
      case .notPreserved(let block): "\(block.text) is not preserved"
      case .subtreeExists: "another subtree has that name"
      case .noSuchSubtree: "no subtree has that name"
      case .subtreeNotPreserved(let range):
        "pages of the subtree \(range) are not preserved; preserve them first"
      case .deviceTreeTooLarge(let byteCount, let limit):
        "the root device tree would have \(byteText(byteCount)), and at most \(byteText(limit)) are read"
      case .deviceTreeUnwritable(let error): "the root device tree cannot be written: \(error)"
      case .deviceTreeNotPreserved(let address):
        "the root device tree at \(address) is not preserved"
      case .regionNamedTwice(let index):
        "the name of region \(index) is that of a region before it"
      case .deviceTreeDamaged(let error):
        "the root device tree in memory is damaged: \(error)"
      case .areaDamaged(let error): "the area is damaged, or too large: \(error)"
      }
    }
  }

  extension ScratchRequestError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .numberMissing(let offset): "a number must begin at character \(offset)"
      case .numberTooLarge(let offset): "the number at character \(offset) is 2^64 bytes or more"
      case .unexpected(let offset):
        "character \(offset) cannot be there: kho_scratch= is LOW,GLOBAL,PERNODE or PERCENT%"
      case .percentageImpossible: "a percentage is a number from 1 to 4294967295 without a suffix"
      case .nothingAsked: "all sizes are 0"
      }
    }
  }
#endif
