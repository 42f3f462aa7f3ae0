internal import KexecHandover

/// A picture of the memory of a file in text: a character for each stretch.
///
///     0x00000000  S#000000011112222········
///
/// `S` the superblock, `#` a node of the tree, a digit or letter the order of most of what is preserved
/// there, `·` mostly free.
struct MemoryPicture {
  static let columnCount = 64
  static let rowCount = 16

  let stretchByteCount: UInt64
  private(set) var lines: [String] = []

  /// Pictures what `contents` found in `memory`.
  init?(_ contents: MemoryContents, in memory: some PhysicalMemory) {
    guard let pages = contents.survey?.pages else { return nil }
    let geometry = contents.superblock.geometry
    let byteCount = contents.superblock.state.byteCount
    var grid = MapGrid(
      PhysicalRange(start: .zero, byteCount: byteCount),
      cellLimit: Self.columnCount * Self.rowCount, geometry: geometry)
    grid.add(pages, in: memory)
    stretchByteCount = grid.cellByteCount
    var cells = grid.cells.map { Self.symbol($0, grid.cellByteCount) }
    if !cells.isEmpty { cells[0] = "S" }
    draw(cells, digitCount: String(byteCount, radix: 16).count)
  }

  private mutating func draw(_ cells: [Character], digitCount: Int) {
    for start in stride(from: 0, to: cells.count, by: Self.columnCount) {
      let address = String(UInt64(start) * stretchByteCount, radix: 16)
      let padding = String(repeating: "0", count: max(0, digitCount - address.count))
      let row = String(cells[start..<min(start + Self.columnCount, cells.count)])
      lines.append("0x\(padding)\(address)  \(row)")
    }
  }

  private static func symbol(_ cell: MapGrid.Cell, _ stretch: UInt64) -> Character {
    if cell.nodeCount > 0 { return "#" }
    guard cell.preservedByteCount * 2 >= stretch, let order = cell.mainOrder else { return "·" }
    return MapColor.symbol(order)
  }
}
