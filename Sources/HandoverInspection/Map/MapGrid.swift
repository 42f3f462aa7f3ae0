public import MemoryAccess
public import PreservedPages

/// A stretch of physical memory in cells of equal length, and what is in each.
///
/// For pictures: bounded by the number of cells, whatever the number of entries.
public struct MapGrid: Sendable {
  /// What is in one cell.
  public struct Cell: Sendable {
    /// The bytes of entries, by order.
    public fileprivate(set) var byteCountByOrder: [UInt64] = []
    /// Nodes of the tree.
    public fileprivate(set) var nodeCount: UInt64 = 0
    /// Whether a byte belongs to the root device tree.
    public fileprivate(set) var holdsDeviceTree = false
    /// Whether a byte is scratch memory.
    public fileprivate(set) var isScratch = false

    /// At most 2^64 − 1, where entries overlap.
    public var preservedByteCount: UInt64 {
      byteCountByOrder.reduce(0) {
        let (sum, overflow) = $0.addingReportingOverflow($1)
        return overflow ? .max : sum
      }
    }

    /// The order of most of the preserved bytes; nil if none exists.
    public var mainOrder: Int? {
      guard
        let largest = byteCountByOrder.indices.max(by: {
          byteCountByOrder[$0] < byteCountByOrder[$1]
        }),
        byteCountByOrder[largest] > 0
      else { return nil }
      return largest
    }

    fileprivate mutating func merge(_ other: Cell) {
      while byteCountByOrder.count < other.byteCountByOrder.count { byteCountByOrder.append(0) }
      for (order, byteCount) in other.byteCountByOrder.enumerated() {
        let (sum, overflow) = byteCountByOrder[order].addingReportingOverflow(byteCount)
        byteCountByOrder[order] = overflow ? .max : sum
      }
      nodeCount += other.nodeCount
      holdsDeviceTree = holdsDeviceTree || other.holdsDeviceTree
      isScratch = isScratch || other.isScratch
    }

    /// Whether nothing is known of it but that it is memory.
    public var isEmpty: Bool {
      mainOrder == nil && nodeCount == 0 && !holdsDeviceTree && !isScratch
    }
  }

  /// The first byte.
  public private(set) var start: UInt64
  /// log2 of the length of a cell.
  public private(set) var log2CellByteCount: Int
  /// The cells, by address.
  public private(set) var cells: [Cell]

  /// Cells over all of `range`, at most `cellLimit`, each a power of two of pages.
  ///
  /// - Precondition: `cellLimit` is 2 or more.
  public init(_ range: PhysicalRange, cellLimit: Int, geometry: PageGeometry) {
    precondition(cellLimit >= 2, "a picture without room")
    let last = range.last?.rawValue ?? range.start.rawValue
    var shift = geometry.shift
    func count(_ shift: Int) -> UInt64 {
      (last >> UInt64(shift)) - (range.start.rawValue >> UInt64(shift))
    }
    while count(shift) >= UInt64(cellLimit) { shift += 1 }
    log2CellByteCount = shift
    start = (range.start.rawValue >> UInt64(shift)) << UInt64(shift)
    cells = [Cell](repeating: Cell(), count: Int(count(shift)) + 1)
  }

  /// The length of a cell in bytes; its cells never are all of 2^64 bytes.
  public var cellByteCount: UInt64 { 1 << UInt64(log2CellByteCount) }

  /// The last byte of the last cell.
  public var last: UInt64 { start &+ (UInt64(cells.count) &* cellByteCount &- 1) }

  /// The first byte of a cell.
  public func address(of index: Int) -> UInt64 { start &+ UInt64(index) &* cellByteCount }

  /// Calls `body` with the cells that hold bytes of `range`, and how many they hold.
  private mutating func forEachCell(
    of range: PhysicalRange, _ body: (inout Cell, UInt64) -> Void
  ) {
    guard let rangeLast = range.last?.rawValue, rangeLast >= start, range.start.rawValue <= last
    else { return }
    let from = max(range.start.rawValue, start)
    let to = min(rangeLast, last)
    let shift = UInt64(log2CellByteCount)
    let (first, final) = (Int((from &- start) >> shift), Int((to &- start) >> shift))
    for index in first...final {
      let cellStart = address(of: index)
      let lower = max(from, cellStart)
      let upper = min(to, cellStart &+ (cellByteCount &- 1))
      body(&cells[index], upper &- lower &+ 1)
    }
  }

  /// The same in cells of twice the length.
  public func halved() -> MapGrid {
    let isOdd = (start >> UInt64(log2CellByteCount)) & 1 == 1
    var result = self
    result.log2CellByteCount += 1
    result.start = start & ~(2 * cellByteCount - 1)
    result.cells = [Cell](repeating: Cell(), count: (cells.count + (isOdd ? 1 : 0) + 1) / 2)
    for (index, cell) in cells.enumerated() {
      result.cells[(index + (isOdd ? 1 : 0)) / 2].merge(cell)
    }
    return result
  }

  /// The cells in rows. Empty rows are left out: nil represents any number of them. The first row and the last one
  /// are never left out.
  public func rows(of columnCount: Int) -> [Range<Int>?] {
    var rows: [Range<Int>?] = []
    for first in stride(from: 0, to: cells.count, by: columnCount) {
      let row = first..<min(first + columnCount, cells.count)
      if first == 0 || row.upperBound == cells.count || !cells[row].allSatisfy(\.isEmpty) {
        rows.append(row)
      } else if rows.last != .some(nil) {
        rows.append(nil)
      }
    }
    return rows
  }

  /// Adds an entry, or a run of entries, of one order.
  public mutating func add(_ range: PhysicalRange, order: PageOrder) {
    let order = Int(order.rawValue)
    forEachCell(of: range) { cell, byteCount in
      while cell.byteCountByOrder.count <= order { cell.byteCountByOrder.append(0) }
      let (sum, overflow) = cell.byteCountByOrder[order].addingReportingOverflow(byteCount)
      cell.byteCountByOrder[order] = overflow ? .max : sum
    }
  }

  /// Adds the entries of `pages`, and the nodes that mark them.
  ///
  /// - Complexity: O(runs + cells that they cover + nodes).
  public mutating func add(_ pages: PreservedPagesSurvey, in memory: some PhysicalMemory) {
    pages.forEachRun(in: memory) { run in
      add(run.range(in: pages.geometry), order: run.order)
    }
    for node in pages.nodes {
      forEachCell(of: PhysicalRange(start: node, byteCount: 1)) { cell, _ in cell.nodeCount += 1 }
    }
  }

  /// Adds the pages of the root device tree.
  public mutating func addDeviceTree(_ range: PhysicalRange) {
    forEachCell(of: range) { cell, _ in cell.holdsDeviceTree = true }
  }

  /// Adds a scratch area.
  public mutating func addScratch(_ range: PhysicalRange) {
    forEachCell(of: range) { cell, _ in cell.isScratch = true }
  }
}
