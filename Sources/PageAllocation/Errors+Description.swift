#if !hasFeature(Embedded)
  import MemoryAccess

  // What was found and where, in a part of a sentence; `summary` has the same without numbers.

  extension MemblockError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .outOfMemory(let byteCount):
        "the memory that may be used has no free range of \(byteText(byteCount))"
      case .listFull(let list):
        "the list of \(list.text) is full, and no free memory is left for a larger one"
      case .notMemory(let range): "\(range) is not memory, or only in part"
      case .notReserved(let range): "\(range) is not reserved, or only in part"
      case .holdsRegionList(let range): "\(range) contains a region list of the early allocator"
      }
    }
  }

  extension MemblockList {
    fileprivate var text: String {
      switch self {
      case .memory: "memory regions"
      case .reserved: "reserved regions"
      }
    }
  }

  extension BuddyAllocatorError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .outOfFrames(let frameCount):
        "no \(countText(frameCount, "page frame")) in one piece \(frameCount == 1 ? "is" : "are") free"
      case .noRoomForMap(let byteCount):
        "no free range has room for the page allocator's map of \(byteText(byteCount))"
      case .notManaged(let frame): "the page allocator does not manage page frame \(frame.rawValue)"
      case .alreadyFree(let frame): "page frame \(frame.rawValue) is free already"
      case .notFree(let frame): "page frame \(frame.rawValue) is in use"
      case .misaligned(let block): "\(block.text) is not aligned to its size"
      }
    }
  }

  extension AllocatorDamage: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .regions(let list):
        "the list of \(list.text) has regions that are empty, out of order, overlap or could be one"
      case .listStorage(let range): "\(range) contains a region list and is not reserved for it"
      case .summary(let order):
        "the summary of the free blocks of order \(order) differs from the blocks"
      case .freeBlockCount(let order):
        "the number of free blocks of order \(order) differs from the map"
      case .unmanagedFrame(let frame):
        "a free block contains page frame \(frame.rawValue), which the page allocator does not manage"
      case .freeBlocks(let one, let other):
        "\(one.text) and \(other.text) are both free, and overlap or should be one block"
      case .frameCount: "a number of page frames differs from the map"
      }
    }
  }
#endif
