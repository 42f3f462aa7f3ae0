#if !hasFeature(Embedded)
  package import MemoryAccess

  extension PreservedPagesFinding {
    /// The finding's name in every output; never changes.
    package var code: String {
      switch self {
      case .pointerUnaligned: "pointer-unaligned"
      case .pointerOutsideMemory: "pointer-outside-memory"
      case .nodeNotStored: "node-not-in-image"
      case .cycle: "cycle"
      case .nodeReachedTwice: "node-reached-twice"
      case .slotBeyondKeys: "key-impossible-order"
      case .moreNodesThanMemory: "too-many-nodes"
      case .keyNamesNoBlock(_, let key): key.rawValue == 0 ? "key-no-order" : "key-impossible-order"
      case .keyAmbiguous: "key-ambiguous"
      case .nodeEmpty: "node-empty"
      case .blocksOutsideMemory: "block-outside-memory"
      case .blocksOverlap: "blocks-overlap"
      case .blockOverNode: "block-over-node"
      case .blockOverDeviceTree: "block-over-fdt"
      case .chunkOrderImpossible: "chunk-order"
      case .chunkCountTooLarge: "chunk-count"
      case .chunkEmpty: "chunk-empty"
      case .bitmapStartUnaligned: "bitmap-start"
      case .bitmapRepeated: "bitmap-repeated"
      case .bitmapEmpty: "bitmap-empty"
      case .orderZeroMarkDropped: "order-zero-mark-dropped"
      case .bitmapSizeAssumed: "v1-bitmap-size-assumed"
      }
    }

    /// The place in memory that is wrong.
    package var place: PhysicalAddress? {
      switch self {
      case .pointerUnaligned(let place, let pointer), .pointerOutsideMemory(let place, let pointer),
        .nodeNotStored(let place, let pointer), .cycle(let place, let pointer),
        .nodeReachedTwice(let place, let pointer), .slotBeyondKeys(let place, let pointer):
        place.address ?? pointer
      case .bitmapStartUnaligned(let place, _, _), .bitmapRepeated(let place, _, _): place.address
      case .keyNamesNoBlock(let leaf, _), .keyAmbiguous(let leaf, _): leaf
      case .nodeEmpty(let node): node.address
      case .blocksOutsideMemory(let run): run.address
      case .blocksOverlap(_, let block), .blockOverNode(let block, _),
        .blockOverDeviceTree(let block, _):
        block.address
      case .chunkOrderImpossible(let chunk, _), .chunkCountTooLarge(let chunk, _, _),
        .chunkEmpty(let chunk):
        chunk
      case .bitmapEmpty(let bitmap): bitmap
      case .moreNodesThanMemory, .orderZeroMarkDropped, .bitmapSizeAssumed: nil
      }
    }

    /// The level of the node that is wrong: of the table that holds a bad pointer, or of the node
    /// itself.
    package var level: Int? {
      switch self {
      case .pointerUnaligned(let place, _), .pointerOutsideMemory(let place, _),
        .nodeNotStored(let place, _), .cycle(let place, _), .nodeReachedTwice(let place, _),
        .slotBeyondKeys(let place, _):
        if case .slot(let slot) = place { slot.level } else { nil }
      case .keyNamesNoBlock, .keyAmbiguous: 0
      case .nodeEmpty(let node): node.level
      default: nil
      }
    }

    /// What was found where.
    package var sentence: String {
      switch self {
      case .pointerUnaligned(let place, let pointer):
        "\(place.title) holds \(pointer), which is not the start of a node"
      case .pointerOutsideMemory(let place, let pointer):
        "\(place.title) points to \(pointer), which is outside memory"
      case .nodeNotStored(let place, let pointer):
        "\(place.title) points to \(pointer), which the image does not hold"
      case .cycle(let place, let pointer):
        "\(place.title) leads back to \(pointer), above it"
      case .nodeReachedTwice(let place, let pointer):
        "\(place.title) points to \(pointer), which another pointer reached before"
      case .slotBeyondKeys(let place, let pointer):
        "\(place.title) points to \(pointer), but its slot is beyond the last key of any order"
      case .moreNodesThanMemory(let nodeCount):
        "\(nodeCount) nodes were reached, more than memory has pages"
      case .keyNamesNoBlock(let leaf, let key):
        "the leaf at \(leaf) marks key \(hexadecimal(key)), which has no possible order"
      case .keyAmbiguous(let leaf, let key):
        "the leaf at \(leaf) marks key \(hexadecimal(key)), which names two blocks: kho-v2 drops the "
          + "mark of order 0 with this page size"
      case .nodeEmpty(let node):
        "the \(node.level == 0 ? "leaf" : "table of level \(node.level)") at \(node.address) is empty"
      case .blocksOutsideMemory(let run):
        "\(run.title) \(run.blockCount == 1 ? "does" : "do") not lie in memory"
      case .blocksOverlap(let one, let other):
        "\(one.title) and \(other.title) overlap"
      case .blockOverNode(let block, let node):
        "\(block.title) covers \(node), a page of the structure that names it"
      case .blockOverDeviceTree(let block, let deviceTree):
        "\(block.title) covers the root device tree at \(deviceTree) and more"
      case .chunkOrderImpossible(let chunk, let order):
        "the chunk at \(chunk) has order \(order), which no block can have"
      case .chunkCountTooLarge(let chunk, let count, let capacity):
        "the chunk at \(chunk) claims \(count) elements; \(capacity) fit in its page"
      case .chunkEmpty(let chunk):
        "the chunk at \(chunk) holds no elements"
      case .bitmapStartUnaligned(let place, let start, let order):
        "\(place.title) starts at \(start), which is not a start of a bitmap of order \(order)"
      case .bitmapRepeated(let place, let start, let order):
        "\(place.title) describes the blocks of order \(order) from \(start) on, as an earlier one does"
      case .bitmapEmpty(let bitmap):
        "the bitmap at \(bitmap) is empty"
      case .orderZeroMarkDropped:
        "kho-v2 drops the mark of order 0 with this page size; orders were distinguished by what is stored in "
          + "memory"
      case .bitmapSizeAssumed(let byteCount):
        "the image does not show whether the bitmaps have \(byteCount) or 512 bytes; \(byteCount) was assumed "
          + "(see --v1-bitmap)"
      }
    }
  }

  private func hexadecimal(_ key: RadixKey) -> String { "0x" + String(key.rawValue, radix: 16) }

  extension PointerPlace {
    fileprivate var title: String {
      switch self {
      case .start: "the root device tree's map"
      case .slot(let slot): "slot \(slot.index) of the level-\(slot.level) table at \(slot.table)"
      case .chunkLink(let chunk): "the link of the chunk at \(chunk)"
      case .chunkElement(let chunk, let index): "element \(index) of the chunk at \(chunk)"
      }
    }
  }

  extension PhysicalBlock {
    fileprivate var title: String { "the block of order \(order) at \(address)" }
  }

  extension BlockRun {
    fileprivate var title: String {
      blockCount == 1
        ? firstBlock.title : "\(blockCount) blocks of order \(order) from \(address) on"
    }
  }

  extension PreservedPagesFinding: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String { sentence }
  }
#endif
