public import MemoryAccess
public import MemoryImages
public import PreservedPages

/// What marking a number of blocks costs, in the tree of kho-v3 and v4, in the chunk lists of kho-v1,
/// and as a list of ranges.
public struct MetadataFootprint: Hashable, Sendable {
  /// What the list of ranges of `FormatTree.md` takes for one.
  public static let bytesPerRange: UInt64 = 16

  /// The page size.
  public let geometry: PageGeometry
  /// The tree's nodes, leaves first.
  public var nodesByLevel: [UInt64]
  /// Bitmaps of a page, and the chunks that list them (Linux 6.18, 6.19).
  public var pageBitmaps: ChunkListSize
  /// Bitmaps of 512 bytes, and the chunks that list them (Linux 6.16, 6.17).
  public var smallBitmaps: ChunkListSize
  /// Blocks of one order that follow each other without a gap, taken as one.
  public var rangeCount: UInt64
  /// The number of blocks.
  public var blockCount: UInt64

  /// A chunk list.
  public struct ChunkListSize: Hashable, Sendable {
    /// The size of a bitmap, in bytes.
    public let bitmapByteCount: UInt64
    /// The number of bitmaps.
    public var bitmapCount: UInt64 = 0
    /// The number of chunks, each a page.
    public var chunkCount: UInt64 = 0

    /// What bitmaps and chunks take, in bytes.
    public func byteCount(in geometry: PageGeometry) -> UInt64 {
      bitmapCount * bitmapByteCount + chunkCount * UInt64(geometry.pageByteCount)
    }

    /// Adds `count` bitmaps of one order: a chunk lists those of one order only.
    public mutating func add(_ count: UInt64, in geometry: PageGeometry) {
      // Toy pages have no room for any.
      let perChunk = max(1, UInt64(geometry.pageByteCount - 16) / 16)
      bitmapCount += count
      chunkCount += (count + perChunk - 1) / perChunk
    }
  }

  /// Nothing marked: a root, no chunk.
  public init(_ geometry: PageGeometry) {
    self.geometry = geometry
    let shape = RadixGeometry(geometry)
    nodesByLevel = [UInt64](repeating: 0, count: shape.levelCount)
    nodesByLevel[shape.rootLevel] = 1
    pageBitmaps = ChunkListSize(bitmapByteCount: UInt64(geometry.pageByteCount))
    smallBitmaps = ChunkListSize(bitmapByteCount: 512)
    rangeCount = 0
    blockCount = 0
  }

  /// What the tree takes, in bytes.
  public var treeByteCount: UInt64 { nodesByLevel.reduce(0, +) * UInt64(geometry.pageByteCount) }
  /// What a list of the ranges takes, in bytes.
  public var rangeListByteCount: UInt64 { rangeCount * Self.bytesPerRange }

  /// The smallest number of ranges whose list takes at least as many bytes as the tree.
  public var crossoverRangeCount: UInt64 {
    (treeByteCount + Self.bytesPerRange - 1) / Self.bytesPerRange
  }
}

extension MetadataFootprint {
  /// What `blocks`, placed as the model does, cost.
  ///
  /// Exact for those places: a node is there for every stretch of keys in which one is marked, and
  /// the root in any case.
  ///
  /// - Complexity: O(leaves that memory has room for · levels), whatever the number of runs.
  public init(_ blocks: [PlannedBlocks], _ geometry: PageGeometry) {
    self.init(geometry)
    var counter = StretchCounter(geometry)
    for blocks in blocks {
      rangeCount += blocks.runCount
      blockCount += blocks.blockCount
      counter.add(order: blocks.order) { log2BlockCount, offset in
        blocks.touchedStretchCount(log2BlockCount: log2BlockCount, offset: offset)
      }
    }
    counter.finish(&self)
  }

  /// What the entries of `pages` cost, if they were marked afresh.
  ///
  /// - Complexity: O(runs · levels).
  public init(_ pages: PreservedPagesSurvey, in memory: MemoryImage) {
    let geometry = pages.geometry
    self.init(geometry)
    let shifts = StretchCounter.log2BlockCounts(geometry)
    var states = [[StretchState]](
      repeating: shifts.map { StretchState(log2BlockCount: $0) },
      count: Int(geometry.maximumOrder.rawValue) + 1)
    var ends = [UInt64?](repeating: nil, count: states.count)
    pages.forEachRun(in: memory) { run in
      let order = Int(run.order.rawValue)
      let first = run.address.rawValue >> UInt64(geometry.shift + order)
      if ends[order] != first { rangeCount += 1 }
      ends[order] = first &+ run.blockCount
      blockCount += run.blockCount
      let offset = StretchCounter.firstKey(PageOrder(order), geometry)
      for index in shifts.indices {
        // Bitmaps are counted from block 0, nodes from the order's first key.
        let start = index < shifts.count - 2 ? offset + first : first
        states[order][index].add(start, start + run.blockCount - 1)
      }
    }
    var counter = StretchCounter(geometry)
    for order in states.indices where ends[order] != nil {
      var index = 0
      counter.add(order: PageOrder(order)) { _, _ in
        defer { index += 1 }
        return states[order][index].count
      }
    }
    counter.finish(&self)
  }
}

/// The stretches of one length that were touched, for runs that come by address.
private struct StretchState {
  let log2BlockCount: Int
  var count: UInt64 = 0
  private var next: UInt64 = 0

  init(log2BlockCount: Int) { self.log2BlockCount = log2BlockCount }

  mutating func add(_ first: UInt64, _ last: UInt64) {
    let start = max(first >> UInt64(log2BlockCount), next)
    let end = last >> UInt64(log2BlockCount)
    guard start <= end else { return }
    count += end - start + 1
    next = end + 1
  }
}

/// Adds up nodes and bitmaps, order by order.
private struct StretchCounter {
  private let geometry: PageGeometry
  private let shape: RadixGeometry
  private var nodes: [UInt64]
  /// Whether a node of a level is there in which orders meet: the one of the lowest keys.
  private var isLowestTouched: [Bool]
  private var pageBitmaps: [UInt64] = []
  private var smallBitmaps: [UInt64] = []

  init(_ geometry: PageGeometry) {
    self.geometry = geometry
    shape = RadixGeometry(geometry)
    nodes = [UInt64](repeating: 0, count: shape.levelCount)
    isLowestTouched = [Bool](repeating: false, count: shape.levelCount)
  }

  /// log2 of the keys below a node of each level, the leaves first, and then of the blocks of a
  /// page-sized and of a small bitmap.
  static func log2BlockCounts(_ geometry: PageGeometry) -> [Int] {
    let shape = RadixGeometry(geometry)
    return (0..<shape.levelCount).map { shape.leafBitCount + $0 * shape.tableBitCount }
      + [shape.leafBitCount, 12]
  }

  /// The number of the key of the block of `order` at address 0.
  static func firstKey(_ order: PageOrder, _ geometry: PageGeometry) -> UInt64 {
    RadixKey(.zero, order: order, in: geometry).rawValue
  }

  /// Adds what the blocks of `order` touch; `touchedCount` is asked once for each of
  /// ``log2BlockCounts(_:)``, in that order.
  mutating func add(
    order: PageOrder, _ touchedCount: (_ log2BlockCount: Int, _ offset: UInt64) -> UInt64
  ) {
    let shifts = Self.log2BlockCounts(geometry)
    let firstKey = Self.firstKey(order, geometry)
    for level in 0..<shape.levelCount {
      let count = touchedCount(shifts[level], firstKey)
      // The keys of an order begin with its mark, so a node that is above the mark is the lowest of
      // its level, and that of all smaller keys as well.
      if shifts[level] < 64, firstKey >> UInt64(shifts[level]) > 0 {
        nodes[level] += count
      } else {
        isLowestTouched[level] = true
      }
    }
    pageBitmaps.append(touchedCount(shifts[shape.levelCount], 0))
    smallBitmaps.append(touchedCount(shifts[shape.levelCount + 1], 0))
  }

  func finish(_ footprint: inout MetadataFootprint) {
    for level in 0..<shape.levelCount {
      footprint.nodesByLevel[level] = nodes[level] + (isLowestTouched[level] ? 1 : 0)
    }
    footprint.nodesByLevel[shape.rootLevel] = 1
    for count in pageBitmaps { footprint.pageBitmaps.add(count, in: geometry) }
    for count in smallBitmaps { footprint.smallBitmaps.add(count, in: geometry) }
  }
}
