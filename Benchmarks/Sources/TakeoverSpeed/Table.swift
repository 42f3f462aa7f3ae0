import KexecHandover

/// All that was measured, by what it is and of how much memory.
struct Table {
  private struct Key: Hashable {
    let name: String
    let order: Int
    let byteCount: UInt64
  }

  /// What a table is of.
  enum Unit: String {
    /// Figures are nanoseconds, and are printed as milliseconds.
    case time = "ms from execve"
    /// Figures are numbers of page faults that needed no disk, of the process alone.
    case pageFaults = "page faults"
  }

  private let unit: Unit
  private var keys: [Key] = []
  private var figures: [Key: [UInt64]] = [:]

  init(of unit: Unit) { self.unit = unit }

  mutating func add(_ name: String, _ file: MeasuredFile, _ figure: UInt64) {
    let key = Key(name: name, order: file.order, byteCount: file.byteCount)
    if figures[key] == nil { keys.append(key) }
    figures[key, default: []].append(figure)
  }

  /// Prints a Markdown table: a row for each figure and block size, a column for each amount of memory.
  ///
  /// In each cell: the median, and in parentheses the quartiles. The last column is the part that
  /// depends on the size: the difference of the largest and the smallest by that of their sizes.
  func print() {
    let sizes = Set(keys.map(\.byteCount)).sorted()
    let head = sizes.map { "\(size($0)) |" }.joined(separator: " ")
    Swift.print("| \(unit.rawValue) | blocks | \(head) per GiB |")
    Swift.print("|---|--:|" + sizes.map { _ in "--:|" }.joined() + "--:|")
    var rows: [(name: String, order: Int)] = []
    for key in keys where !rows.contains(where: { $0 == (key.name, key.order) }) {
      rows.append((key.name, key.order))
    }
    for (name, order) in rows {
      let cells = sizes.map { Key(name: name, order: order, byteCount: $0) }
      Swift.print(
        "| \(name) | \(size(4096 << UInt64(order))) | "
          + cells.map { text($0) + " |" }.joined(separator: " ") + " \(slope(cells)) |")
    }
  }

  private func slope(_ row: [Key]) -> String {
    let measured = row.filter { figures[$0] != nil }
    guard let smallest = measured.first, let largest = measured.last, smallest != largest else {
      return ""
    }
    let gibibytes = Double(largest.byteCount - smallest.byteCount) / Double(1 << 30)
    return text(ofFigure: (quantile(largest, 1, 2) - quantile(smallest, 1, 2)) / gibibytes)
  }

  private func text(_ key: Key) -> String {
    guard figures[key] != nil else { return "" }
    let quartiles = [1, 3].map { text(ofFigure: quantile(key, $0, 4)) }
    return "\(text(ofFigure: quantile(key, 1, 2))) (\(quartiles[0])–\(quartiles[1]))"
  }

  private func quantile(_ key: Key, _ part: Int, _ whole: Int) -> Double {
    let sorted = (figures[key] ?? []).sorted()
    return Double(sorted[(sorted.count - 1) * part / whole])
  }

  /// Milliseconds with two digits behind the point, or a whole number.
  private func text(ofFigure figure: Double) -> String {
    switch unit {
    case .time: "\((figure / 10_000).rounded() / 100)"
    case .pageFaults: "\(Int(figure.rounded()))"
    }
  }

  private func size(_ byteCount: UInt64) -> String {
    switch byteCount {
    case (1 << 40)...: "\(byteCount >> 40) TiB"
    case (1 << 30)...: "\(byteCount >> 30) GiB"
    case (1 << 20)...: "\(byteCount >> 20) MiB"
    default: "\(byteCount >> 10) KiB"
    }
  }
}
