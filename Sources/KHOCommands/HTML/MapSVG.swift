internal import KexecHandover

/// A map as an SVG picture, for documents.
struct MapSVG {
  private var text: String

  static let columnCount = 96
  static let rowCount = 48
  private static let cell = 10
  private static let labelWidth = 130

  var bytes: [UInt8] { Array(text.utf8) }

  init(_ subject: MapSubject) {
    let grid = subject.grid(columnCount: Self.columnCount, rowCount: Self.rowCount)
    let rows = grid.rows(of: Self.columnCount)
    let top = 58
    let width = Self.labelWidth + Self.columnCount * Self.cell + 24
    let legendTop = top + rows.count * Self.cell + 26
    let height = legendTop + 62
    let title = escaped(subject.title)
    text = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" \
      height="\(height)" role="img" aria-labelledby="title detail" \
      font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">
      <title id="title">\(title)</title>
      <desc id="detail">Physical memory from left to right and from top to bottom, \
      \(byteText(grid.cellByteCount)) a square, coloured by the order of what is preserved there.</desc>
      <style>
        .bg { fill: #ffffff } .ink { fill: #1c2430 } .dim { fill: #5c6775 } .free { fill: #e9edf2 }
        .gap { stroke: #98a4b3; stroke-dasharray: 1 5; fill: none }
        @media (prefers-color-scheme: dark) {
          .bg { fill: #12161d } .ink { fill: #e8edf4 } .dim { fill: #98a4b3 } .free { fill: #222a35 }
        }
      </style>
      <rect class="bg" width="\(width)" height="\(height)"/>
      <text class="ink" x="16" y="26" font-size="15" font-weight="600">\(title)</text>
      <text class="dim" x="16" y="44">\(byteText(grid.cellByteCount)) a square; \
      the address at the left is that of the row's first; a dotted line replaces rows without \
      anything</text>

      """
    for (index, row) in rows.enumerated() {
      let y = top + index * Self.cell
      if let row {
        addRow(grid, row, y)
      } else {
        let x = Self.labelWidth
        let middle = y + Self.cell / 2
        text += "<path class=\"gap\" d=\"M\(x) \(middle)H\(width - 24)\"/>\n"
      }
    }
    addLegend(subject, legendTop)
    text += "</svg>\n"
  }

  private mutating func addRow(_ grid: MapGrid, _ row: Range<Int>, _ y: Int) {
    let (first, end) = (row.lowerBound, row.upperBound)
    let address = "0x" + String(grid.address(of: first), radix: 16)
    text += "<text class=\"dim\" x=\"\(Self.labelWidth - 8)\" y=\"\(y + 8)\" text-anchor=\"end\" "
    text += "font-size=\"9\" font-family=\"ui-monospace, monospace\">\(address)</text>\n"
    var index = first
    while index < end {
      let fill = grid.cells[index].fill
      var next = index + 1
      while next < end, grid.cells[next].fill == fill { next += 1 }
      let x = Self.labelWidth + (index - first) * Self.cell
      let width = (next - index) * Self.cell
      text +=
        "<rect \(fill) x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(Self.cell - 1)\"/>\n"
      index = next
    }
  }

  private mutating func addLegend(_ subject: MapSubject, _ y: Int) {
    var x = 16
    var y = y
    func width(_ label: String) -> Int { 30 + label.count * 7 }
    var keys = subject.survey.ordersInUse.map { order, _ in
      (
        MapColor.order(Int(order.rawValue)),
        "order \(order), \(byteText(subject.geometry.blockByteCount(order)))"
      )
    }
    keys.append((MapColor.node, "nodes of the tree"))
    keys.append((MapColor.deviceTree, "root device tree"))
    if !subject.scratch.isEmpty { keys.append((MapColor.scratch, "scratch")) }
    for (color, label) in keys {
      if x + width(label) > Self.labelWidth + Self.columnCount * Self.cell {
        x = 16
        y += 20
      }
      text +=
        "<rect fill=\"\(color)\" x=\"\(x)\" y=\"\(y - 9)\" width=\"11\" height=\"11\" rx=\"2\"/>"
      text += "<text class=\"ink\" x=\"\(x + 17)\" y=\"\(y)\">\(escaped(label))</text>\n"
      x += width(label)
    }
  }
}

extension MapGrid.Cell {
  /// The attributes of the cell's square.
  fileprivate var fill: String {
    if holdsDeviceTree { return "fill=\"\(MapColor.deviceTree)\"" }
    if nodeCount > 0 { return "fill=\"\(MapColor.node)\"" }
    if let mainOrder { return "fill=\"\(MapColor.order(mainOrder))\"" }
    return isScratch ? "fill=\"\(MapColor.scratch)\"" : "class=\"free\""
  }
}

/// `text` for the inside of an element or an attribute of XML or HTML.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    // No characters of XML.
    case "\u{0}"..."\u{8}", "\u{b}", "\u{c}", "\u{e}"..."\u{1f}", "\u{fffe}", "\u{ffff}":
      result.unicodeScalars.append("\u{fffd}")
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
