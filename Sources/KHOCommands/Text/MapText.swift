internal import KexecHandover

/// A map in characters, for a terminal or a file.
///
///     0x00500000  ····D#0000001111·········
///
/// A digit or letter the order of most of what is preserved there, `#` nodes of the tree, `D` the root
/// device tree, `s` scratch memory, `·` nothing known. Empty rows are left out, and
/// `*` represents them.
struct MapText {
  let lines: [String]

  /// - Parameters:
  ///   - width: of the lines in characters.
  ///   - height: the most lines, those of the legend included.
  init(_ subject: MapSubject, width: Int, height: Int, isColored: Bool) {
    let digitCount = String(subject.range.last?.rawValue ?? 0, radix: 16).count
    let columnCount = max(8, width - digitCount - 4)
    let legendLineCount = 4
    let rowCount = max(2, height - legendLineCount)
    let grid = subject.grid(columnCount: columnCount, rowCount: rowCount)
    var lines = [subject.title]
    for row in grid.rows(of: columnCount) {
      guard let row else {
        lines.append("*")
        continue
      }
      let digits = String(grid.address(of: row.lowerBound), radix: 16)
      let padding = String(repeating: "0", count: max(0, digitCount - digits.count))
      var line = "0x\(padding)\(digits)  "
      var color: Int?
      for cell in grid.cells[row] {
        let (symbol, next) = cell.symbol
        if isColored, next != color {
          line += next.map { "\u{1b}[0;30;48;5;\($0)m" } ?? "\u{1b}[0m"
          color = next
        }
        line.append(symbol)
      }
      if isColored, color != nil { line += "\u{1b}[0m" }
      lines.append(line)
    }
    lines += Self.legend(grid, subject, isColored: isColored)
    self.lines = lines
  }

  private static func legend(
    _ grid: MapGrid, _ subject: MapSubject, isColored: Bool
  ) -> [String] {
    func key(_ symbol: Character, _ color: Int?, _ text: String) -> String {
      let shown = isColored ? color.map { "\u{1b}[0;30;48;5;\($0)m\(symbol)\u{1b}[0m" } : nil
      return "\(shown ?? String(symbol)) \(text)"
    }
    let orders = subject.survey.ordersInUse.map { order, _ in
      let order = Int(order.rawValue)
      let size = subject.geometry.blockByteCount(PageOrder(order))
      return key(
        MapColor.symbol(order), MapColor.terminalBackground(order), "\(byteText(size))")
    }
    var others = [
      key(
        "#", MapColor.terminalNode,
        subject.survey.deviceTree?.version == .v1 ? "chunk, bitmap" : "tree node"),
      key("D", MapColor.terminalDeviceTree, "root device tree"),
    ]
    if !subject.scratch.isEmpty { others.append(key("s", MapColor.terminalScratch, "scratch")) }
    others.append("· not preserved")
    return [
      "\(byteText(grid.cellByteCount)) a character; blocks by order: \(orders.joined(separator: "  "))",
      others.joined(separator: "   "),
    ]
  }
}

extension MapGrid.Cell {
  /// The character that represents the cell, and its colour in a terminal.
  ///
  /// The root device tree and the nodes are shown even if they take little of the cell.
  fileprivate var symbol: (Character, Int?) {
    if holdsDeviceTree { return ("D", MapColor.terminalDeviceTree) }
    if nodeCount > 0 { return ("#", MapColor.terminalNode) }
    if let mainOrder {
      return (MapColor.symbol(mainOrder), MapColor.terminalBackground(mainOrder))
    }
    return isScratch ? ("s", MapColor.terminalScratch) : ("·", nil)
  }
}
