public import MemoryAccess

/// Everything that an untrusted structure of preserved pages says, read once: what it counts, where
/// its nodes are, what is wrong with it, and how to find the entries again.
///
/// The same for a radix tree and for a `kho-v1` chunk list. Holds 16 bytes or so for each node and
/// leaf, never the entries: ``forEachRun(in:_:)`` reads those from memory, sorted by address.
public struct PreservedPagesSurvey: Sendable {
  /// The page size.
  public let geometry: PageGeometry
  /// The number of entries of each order; the index is the order.
  public internal(set) var countByOrder: [UInt64]
  /// The number of nodes of each level, the leaves first. Of a chunk list: bitmaps, then chunks.
  public internal(set) var nodeCountByLevel: [UInt64]
  /// Where the nodes are, sorted. They are not entries, and must stay untouched all the same.
  public internal(set) var nodes: [PhysicalAddress] = []
  /// The memory the nodes take, in bytes.
  public internal(set) var metadataByteCount: UInt64 = 0
  /// What is wrong.
  public internal(set) var findings = FindingList()

  /// The bits that mark the entries, sorted by order and start.
  var bitmaps: [BlockBitmap] = []

  init(geometry: PageGeometry, levelCount: Int) {
    self.geometry = geometry
    countByOrder = [UInt64](repeating: 0, count: Int(geometry.maximumOrder.rawValue) + 1)
    nodeCountByLevel = [UInt64](repeating: 0, count: levelCount)
  }

  /// The number of entries.
  public var entryCount: UInt64 { countByOrder.reduce(0, &+) }

  /// The orders of the entries.
  public var ordersInUse: PageOrderSet {
    var orders = PageOrderSet()
    for (order, count) in countByOrder.enumerated() where count > 0 {
      orders.insert(PageOrder(order))
    }
    return orders
  }

  /// The bytes of all entries; at most 2^64 − 1, where a broken structure would say more.
  public var preservedByteCount: UInt64 {
    var sum: UInt64 = 0
    for (order, count) in countByOrder.enumerated() {
      let size = geometry.blockByteCount(PageOrder(order))
      let (bytes, tooMany) = count.multipliedReportingOverflow(by: size)
      let (next, overflow) = sum.addingReportingOverflow(bytes)
      if tooMany || overflow { return .max }
      sum = next
    }
    return sum
  }

  /// Brings nodes and bitmaps into the order that everything else counts on.
  @inline(never)
  mutating func sort() {
    nodes.sortInPlace { $0 < $1 }
    bitmaps.sortInPlace {
      ($0.order, $0.start, $0.bytes.start) < ($1.order, $1.start, $1.bytes.start)
    }
  }
}

extension PreservedPagesSurvey {
  /// Reads the chunk list of `kho-v1` whose first chunk is at `firstChunk`; 0 means none.
  ///
  /// - Complexity: O(chunks and bitmaps · page size), at most O(memory).
  public init<Memory: PhysicalMemory>(
    chunkListAt firstChunk: PhysicalAddress, in memory: Memory, geometry: PageGeometry,
    bitmapSize: ChunkBitmapSize = .deduced
  ) {
    self.init(geometry: geometry, levelCount: 2)
    let reader = ChunkListReader(memory: memory, geometry: geometry, firstChunk: firstChunk)
    let listing = reader.list(&findings)
    let byteCount = reader.bitmapByteCount(bitmapSize, for: listing.elements, &findings)
    let found = reader.bitmaps(of: listing, byteCount: byteCount, &findings)

    nodeCountByLevel = [UInt64(found.count), UInt64(listing.chunks.count)]
    metadataByteCount =
      UInt64(found.count) * UInt64(byteCount)
      + UInt64(listing.chunks.count) * UInt64(geometry.pageByteCount)
    nodes = listing.chunks + found.map { $0.bytes.start }
    for bitmap in found {
      let count = memory.withBytes(in: bitmap.bytes) { bytes in
        bytes.countOfBits(from: bitmap.firstBit, count: bitmap.bitCount)
      }
      guard let count, count > 0 else {
        findings.append(.bitmapEmpty(bitmap: bitmap.bytes.start))
        continue
      }
      countByOrder[Int(bitmap.order.rawValue)] &+= count
      bitmaps.append(bitmap)
    }
    sort()
  }
}
