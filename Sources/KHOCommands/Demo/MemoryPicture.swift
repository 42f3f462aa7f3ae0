internal import KexecHandover

/// A picture of memory in text: a character for each stretch.
///
///     0x00000000  S#000000011112222········
///
/// `S` the superblock, `#` a node of the tree, a digit or letter the order of most of what is preserved
/// there, `·` mostly free.
struct MemoryPicture {
  static let columnCount = 64
  static let rowCount: UInt64 = 16

  let stretchByteCount: UInt64
  private(set) var lines: [String] = []

  /// Pictures what `contents` found in `memory`.
  init?(_ contents: MemoryContents, in memory: some PhysicalMemory) {
    guard let pages = contents.survey?.pages else { return nil }
    let geometry = contents.superblock.geometry
    let byteCount = contents.superblock.state.byteCount
    let cellCount = UInt64(Self.columnCount) * Self.rowCount
    var stretch = UInt64(geometry.pageByteCount)
    while stretch * cellCount < byteCount { stretch *= 2 }
    stretchByteCount = stretch
    let usedCellCount = Int((byteCount + stretch - 1) / stretch)

    // How many bytes of each order lie in each stretch.
    var counts = [[UInt64]](repeating: [], count: usedCellCount)
    pages.forEachRun(in: memory) { run in
      let range = run.range(in: geometry)
      guard let last = range.last else { return }
      for cell in range.start.rawValue / stretch...last.rawValue / stretch {
        let place = PhysicalRange(start: PhysicalAddress(cell * stretch), byteCount: stretch)
        let shared = range.intersection(place)?.byteCount ?? 0
        let order = Int(run.order.rawValue)
        while counts[Int(cell)].count <= order { counts[Int(cell)].append(0) }
        counts[Int(cell)][order] += shared
      }
    }
    var cells = counts.map { Self.symbol($0, stretch) }
    for node in pages.nodes { cells[Int(node.rawValue / stretch)] = "#" }
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

  private static func symbol(_ byteCounts: [UInt64], _ stretch: UInt64) -> Character {
    let preserved = byteCounts.reduce(0, +)
    guard preserved * 2 >= stretch else { return "·" }
    let order = byteCounts.indices.max { byteCounts[$0] < byteCounts[$1] } ?? 0
    return Character(String(min(order, 35), radix: 36))
  }
}
