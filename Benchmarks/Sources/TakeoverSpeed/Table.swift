import KexecHandover

/// All that was measured, by what it is and of how much memory.
struct Table {
  private struct Key: Hashable {
    let name: String
    let order: Int
    let byteCount: UInt64
  }

  private var keys: [Key] = []
  private var times: [Key: [UInt64]] = [:]

  mutating func add(_ name: String, _ file: MeasuredFile, _ nanoseconds: UInt64) {
    let key = Key(name: name, order: file.order, byteCount: file.byteCount)
    if times[key] == nil { keys.append(key) }
    times[key, default: []].append(nanoseconds)
  }

  /// Prints a Markdown table: a row for each figure and block size, a column for each amount of memory.
  ///
  /// Milliseconds: the median, and in parentheses the quartiles. The last column is the part that
  /// depends on the size: the difference of the largest and the smallest by that of their sizes.
  func print() {
    let sizes = Set(keys.map(\.byteCount)).sorted()
    let head = sizes.map { "\(size($0)) |" }.joined(separator: " ")
    Swift.print("| ms from execve | blocks | \(head) per GiB |")
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
    let measured = row.filter { times[$0] != nil }
    guard let smallest = measured.first, let largest = measured.last, smallest != largest else {
      return ""
    }
    let gibibytes = Double(largest.byteCount - smallest.byteCount) / Double(1 << 30)
    return milliseconds((quantile(largest, 1, 2) - quantile(smallest, 1, 2)) / gibibytes)
  }

  private func text(_ key: Key) -> String {
    guard times[key] != nil else { return "" }
    let quartiles = [1, 3].map { milliseconds(quantile(key, $0, 4)) }
    return "\(milliseconds(quantile(key, 1, 2))) (\(quartiles[0])–\(quartiles[1]))"
  }

  private func quantile(_ key: Key, _ part: Int, _ whole: Int) -> Double {
    let sorted = (times[key] ?? []).sorted()
    return Double(sorted[(sorted.count - 1) * part / whole])
  }

  /// Two digits behind the point.
  private func milliseconds(_ nanoseconds: Double) -> String {
    "\((nanoseconds / 10_000).rounded() / 100)"
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
