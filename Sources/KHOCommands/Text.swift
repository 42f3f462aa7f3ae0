/// A number of bytes for people: `214 bytes`, `84 KiB`, `2.18 MiB`.
func byteText(_ byteCount: UInt64) -> String {
  if byteCount < 1024 { return byteCount == 1 ? "1 byte" : "\(byteCount) bytes" }
  var unit = 0
  var whole = byteCount
  var rest: UInt64 = 0
  while whole >= 1024, unit < 6 {
    rest = whole & 1023
    whole >>= 10
    unit += 1
  }
  let name = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][unit]
  let hundredths = rest * 100 / 1024
  if hundredths == 0 || whole >= 100 { return "\(whole) \(name)" }
  return "\(whole).\(hundredths < 10 ? "0" : "")\(hundredths) \(name)"
}

/// `count` of something, in the singular or the plural.
func countText(_ count: some BinaryInteger, _ one: String, _ many: String? = nil) -> String {
  "\(count) \(count == 1 ? one : many ?? one + "s")"
}

/// Lines of text with columns as wide as they must be.
struct TextTable {
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  init(_ alignments: [Alignment]) { self.alignments = alignments }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, each after `indent`, without trailing blanks.
  func lines(indent: String = "") -> [String] {
    let widths = alignments.indices.map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = indent
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += alignments[column] == .left ? cell + padding : padding + cell
        if column < row.count - 1 { line += "  " }
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
