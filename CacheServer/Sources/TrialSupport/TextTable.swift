/// Lines of text with columns as wide as they must be.
public struct TextTable: Sendable {
  /// The side of its column at which a cell is printed.
  public enum Alignment: Sendable {
    /// At its beginning.
    case left
    /// At its end.
    case right
  }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table without rows; with one column for each of them.
  public init(_ alignments: [Alignment]) { self.alignments = alignments }

  /// Adds a row.
  public mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, each after `indent`, without trailing blanks.
  public func lines(indent: String = "") -> [String] {
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
