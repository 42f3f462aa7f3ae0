package import MemoryAccess
package import PreservedPages

/// A radix tree read the slow and obvious way, straight from `FormatTree.md`, for
/// comparison. Only for trees that are sound.
package struct ReferenceTree: Sendable {
  /// The nodes, a table before what hangs below it.
  package private(set) var nodes: [RadixNode] = []
  /// The numbers of all bits that are set, as met.
  package private(set) var keys: [UInt64] = []

  private let shift: Int
  private let levelCount: Int

  /// Reads the tree at `root` in `memory`.
  ///
  /// - Parameter countsOrderBit: false of `kho-v2`, whose depth forgets it.
  package init(
    in memory: some WritablePhysicalMemory, shift: Int, root: PhysicalAddress,
    countsOrderBit: Bool = true
  ) {
    self.shift = shift
    levelCount = Self.levelCount(shift: shift, countsOrderBit: countsOrderBit)
    read(memory, root.rawValue, level: levelCount - 1, firstKey: 0)
  }

  /// Section 1: ceil((width − leaf bits) / table bits) + 1.
  package static func levelCount(shift: Int, countsOrderBit: Bool = true) -> Int {
    let width = 64 - shift + (countsOrderBit ? 1 : 0)
    let quotient = Double(width - (shift + 3)) / Double(shift - 3)
    return Int(quotient.rounded(.up)) + 1
  }

  /// Section 2: the block that a number names.
  package static func block(of key: UInt64, shift: Int) -> PhysicalBlock {
    var top = 63
    while key & (1 << top) == 0 { top -= 1 }
    let order = 64 - shift - top
    var address = key - (1 << top)
    for _ in 0..<(shift + order) { address *= 2 }
    return PhysicalBlock(address: PhysicalAddress(address), order: PageOrder(order))
  }

  private mutating func read(
    _ memory: some WritablePhysicalMemory, _ node: UInt64, level: Int, firstKey: UInt64
  ) {
    nodes.append(
      RadixNode(
        address: PhysicalAddress(node), level: level, firstKey: RadixKey(rawValue: firstKey)))
    let words = memory.snapshot(
      of: PhysicalRange(start: PhysicalAddress(node), byteCount: 1 << UInt64(shift)))
    if level == 0 {
      for (index, word) in words.enumerated() where word != 0 {
        for bit in 0..<64 where word & (1 << UInt64(bit)) != 0 {
          keys.append(firstKey + UInt64(index * 64 + bit))
        }
      }
      return
    }
    var keysBelowSlot: UInt64 = 1 << UInt64(shift + 3)
    for _ in 1..<level { keysBelowSlot *= 1 << UInt64(shift - 3) }
    for (slot, word) in words.enumerated() where word != 0 {
      read(memory, word, level: level - 1, firstKey: firstKey + UInt64(slot) * keysBelowSlot)
    }
  }
}
