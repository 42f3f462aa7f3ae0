public import MemoryAccess

/// A problem found in an untrusted structure of preserved pages.
///
/// A finding names the place and what was found there. Where the walk can go on behind it, it does:
/// one bad pointer does not hide the rest.
@nonexhaustive
public enum PreservedPagesFinding: Error, Hashable, Sendable {
  /// A pointer is not a multiple of the page size.
  case pointerUnaligned(in: PointerPlace, pointer: PhysicalAddress)
  /// A pointer points outside memory.
  case pointerOutsideMemory(in: PointerPlace, pointer: PhysicalAddress)
  /// A pointer points to memory that exists but that this image does not hold.
  case nodeNotStored(in: PointerPlace, pointer: PhysicalAddress)
  /// A pointer leads back to a node above it.
  case cycle(in: PointerPlace, pointer: PhysicalAddress)
  /// A pointer points to a node that was already reached another way.
  case nodeReachedTwice(in: PointerPlace, pointer: PhysicalAddress)
  /// A pointer is in a slot behind the last key of any order.
  case slotBeyondKeys(in: PointerPlace, pointer: PhysicalAddress)
  /// More nodes were reached than fit in memory, so some were reached twice; the walk ended there.
  case moreNodesThanMemory(nodeCount: UInt64)
  /// A leaf marks a key that names no block: no order's bit is set, or the order is impossible.
  case keyNamesNoBlock(leaf: PhysicalAddress, key: RadixKey)
  /// A key that lost the mark of order 0 can be read as two different blocks, both inside memory.
  case keyAmbiguous(leaf: PhysicalAddress, key: RadixKey)
  /// A node holds nothing.
  case nodeEmpty(RadixNode)
  /// A part of the blocks, or all of them, is outside memory.
  case blocksOutsideMemory(BlockRun)
  /// A block shares bytes with another entry.
  case blocksOverlap(PhysicalBlock, PhysicalBlock)
  /// A block that is not the device tree's own covers a page of the root device tree.
  case blockOverDeviceTree(PhysicalBlock, deviceTree: PhysicalAddress)
  /// A block covers a page of the structure that names it.
  case blockOverNode(PhysicalBlock, node: PhysicalAddress)
  /// A chunk names an order no block can have.
  case chunkOrderImpossible(chunk: PhysicalAddress, order: UInt32)
  /// A chunk says that it holds more elements than fit in its page.
  case chunkCountTooLarge(chunk: PhysicalAddress, count: UInt32, capacity: Int)
  /// A chunk holds no elements.
  case chunkEmpty(chunk: PhysicalAddress)
  /// The first block of a bitmap is not aligned to its size.
  case bitmapStartUnaligned(in: PointerPlace, start: PhysicalAddress, order: PageOrder)
  /// A bitmap has bits for blocks for which an earlier bitmap has bits already; it was left out.
  case bitmapRepeated(in: PointerPlace, start: PhysicalAddress, order: PageOrder)
  /// A bitmap marks nothing.
  case bitmapEmpty(bitmap: PhysicalAddress)
  /// The tree is too low for the bit that marks order 0, so keys of that order do not have it. A key was read as that
  /// block, of order 0 or of a larger order, that is inside memory.
  case orderZeroMarkDropped
  /// The list does not show whether a bitmap is a page or 512 bytes; the given size was assumed.
  case bitmapSizeAssumed(byteCount: Int)
}

/// Where a pointer to a node is.
@nonexhaustive
public enum PointerPlace: Hashable, Sendable {
  /// The pointer to the root or the first chunk, which came from outside the structure.
  case start
  /// A slot of a table.
  case slot(RadixSlot)
  /// The link of a chunk to the next.
  case chunkLink(chunk: PhysicalAddress)
  /// The bitmap of an element of a chunk.
  case chunkElement(chunk: PhysicalAddress, index: Int)

  /// The address of the pointer itself; nil at the start.
  public var address: PhysicalAddress? {
    switch self {
    case .start: return nil
    case .slot(let slot): return slot.address
    case .chunkLink(let chunk): return chunk
    case .chunkElement(let chunk, let index):
      return PhysicalAddress(chunk.rawValue &+ UInt64(ChunkLayout.elementOffset(index)) &+ 8)
    }
  }
}

/// How much a finding matters.
public enum FindingSeverity: Int, Hashable, Comparable, Sendable {
  /// Legal, and worth knowing.
  case note
  /// Legal or harmless to the reader, but hardly meant.
  case warning
  /// The state is not what a kernel would hand over; a successor would lose or corrupt memory.
  case error

  /// Whether one matters less than another.
  public static func < (lhs: FindingSeverity, rhs: FindingSeverity) -> Bool {
    lhs.rawValue < rhs.rawValue
  }
}

extension PreservedPagesFinding {
  /// How much the finding matters.
  public var severity: FindingSeverity {
    switch self {
    case .nodeEmpty, .bitmapEmpty, .bitmapSizeAssumed, .chunkEmpty: .note
    case .orderZeroMarkDropped: .warning
    default: .error
    }
  }

  /// Whether part of the structure could not be followed, so that what was read is not all.
  public var hidesEntries: Bool {
    switch self {
    case .nodeEmpty, .bitmapEmpty, .bitmapSizeAssumed, .chunkEmpty, .orderZeroMarkDropped,
      .blocksOutsideMemory, .blocksOverlap, .blockOverNode, .blockOverDeviceTree:
      false
    case .pointerUnaligned, .pointerOutsideMemory, .nodeNotStored, .cycle, .nodeReachedTwice,
      .slotBeyondKeys, .moreNodesThanMemory, .keyNamesNoBlock, .keyAmbiguous,
      .chunkOrderImpossible, .chunkCountTooLarge, .bitmapStartUnaligned, .bitmapRepeated:
      true
    }
  }

  /// The number of kinds.
  static var kindCount: Int { 22 }

  /// A small number for each kind, below ``kindCount``, so that a list can be bounded kind by kind.
  var kind: Int {
    switch self {
    case .pointerUnaligned: 0
    case .pointerOutsideMemory: 1
    case .nodeNotStored: 2
    case .cycle: 3
    case .nodeReachedTwice: 4
    case .slotBeyondKeys: 5
    case .moreNodesThanMemory: 6
    case .keyNamesNoBlock: 7
    case .keyAmbiguous: 8
    case .nodeEmpty: 9
    case .blocksOutsideMemory: 10
    case .blocksOverlap: 11
    case .blockOverNode: 12
    case .chunkOrderImpossible: 13
    case .chunkCountTooLarge: 14
    case .chunkEmpty: 15
    case .bitmapStartUnaligned: 16
    case .bitmapEmpty: 17
    case .bitmapSizeAssumed: 18
    case .bitmapRepeated: 19
    case .orderZeroMarkDropped: 20
    case .blockOverDeviceTree: 21
    }
  }
}
