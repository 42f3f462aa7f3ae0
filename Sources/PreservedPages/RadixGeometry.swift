public import MemoryAccess

/// The shape of a radix tree: how a key is cut into slots, and how many levels that takes.
///
/// Every node is one page. A table holds `2^tableBitCount` pointers of 8 bytes; a leaf holds
/// `2^leafBitCount` bits, one for each key.
///
/// Source: `FormatTree.md`.
@frozen
public struct RadixGeometry: Hashable, Sendable {
  /// The page size, which is also the node size.
  public let page: PageGeometry
  /// The number of levels, the leaf's and the root's included.
  public let levelCount: Int

  /// The most levels that any geometry has: pages of 16 bytes, a bit of the key for each table.
  @inlinable
  public static var largestLevelCount: Int { 56 }

  /// The shape that `kho-v3` and later use for pages of that size.
  @inlinable
  public init(_ page: PageGeometry) {
    self.init(page, keyBitCount: 65 &- page.shift)
  }

  /// The shape of `kho-v2`, whose depth forgets the bit that marks order 0.
  ///
  /// With 16 KiB pages that tree is one level too low: see ``dropsOrderZeroBit``. With 4 and 64 KiB
  /// it is the same as ``init(_:)``.
  @inlinable
  public static func version2(_ page: PageGeometry) -> RadixGeometry {
    RadixGeometry(page, keyBitCount: 64 &- page.shift)
  }

  @inlinable
  init(_ page: PageGeometry, keyBitCount: Int) {
    self.page = page
    let tableBits = page.shift &- 3
    let aboveLeaf = keyBitCount &- (page.shift &+ 3)
    self.levelCount = (aboveLeaf &+ tableBits &- 1) / tableBits &+ 1
  }

  /// log2 of the number of pointers in a table.
  @inlinable
  public var tableBitCount: Int { page.shift &- 3 }

  /// log2 of the number of bits in a leaf.
  @inlinable
  public var leafBitCount: Int { page.shift &+ 3 }

  /// The number of pointers in a table.
  @inlinable
  public var slotCount: Int { 1 &<< tableBitCount }

  /// The number of keys that one leaf covers.
  @inlinable
  public var leafKeyCount: UInt64 { (1 as UInt64) &<< UInt64(truncatingIfNeeded: leafBitCount) }

  /// The level of the root; the leaves are level 0.
  @inlinable
  public var rootLevel: Int { levelCount &- 1 }

  /// The lowest bit of the key that a table of `level` looks at: log2 of the keys below one slot.
  ///
  /// - Precondition: `level` is in 1…``rootLevel``.
  @inlinable
  public func slotShift(level: Int) -> Int {
    leafBitCount &+ (level &- 1) &* tableBitCount
  }

  /// Which pointer of a table of `level` points to `key`.
  ///
  /// - Precondition: `level` is in 1…``rootLevel``.
  @inlinable
  public func slot(of key: RadixKey, level: Int) -> Int {
    Int(
      truncatingIfNeeded: (key.rawValue &>> UInt64(truncatingIfNeeded: slotShift(level: level)))
        & (1 &<< UInt64(truncatingIfNeeded: tableBitCount) &- 1))
  }

  /// The first number that is not a key any more: keys are in `2..<keyEnd`.
  ///
  /// Key 0 has no order, and key 1 would be a block of 2^64 bytes.
  @inlinable
  public var keyEnd: UInt64 {
    let width = min(65 &- page.shift, slotShift(level: levelCount))
    return (1 as UInt64) &<< UInt64(width)
  }

  /// Whether the tree has a place for `key`, and `key` names a block.
  @inlinable
  public func holds(_ key: RadixKey) -> Bool {
    key.rawValue >= 2 && key.rawValue < keyEnd
  }

  /// Whether the tree is too low for the bit that marks order 0, so that keys of order 0 are stored
  /// without their mark and look like larger blocks.
  @inlinable
  public var dropsOrderZeroBit: Bool { slotShift(level: levelCount) < 65 &- page.shift }
}
