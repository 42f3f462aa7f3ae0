/// One measurement: the median of several runs.
struct Row {
  let name: String
  let operationCount: UInt64
  let median: Duration
  let runCount: Int

  var nanosecondsPerOperation: Double {
    let (seconds, attoseconds) = median.components
    return (Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(operationCount)
  }

  var milliseconds: Double { nanosecondsPerOperation * Double(operationCount) / 1e6 }
}

/// The rows as a Markdown table.
struct Table {
  private var rows: [Row] = []

  mutating func add(_ row: Row) { rows.append(row) }

  func print() {
    Swift.print("| operation | operations | ns each | ms in all | runs |")
    Swift.print("|---|--:|--:|--:|--:|")
    for row in rows {
      Swift.print(
        "| \(row.name) | \(row.operationCount) | \(rounded(row.nanosecondsPerOperation, 3)) | "
          + "\(rounded(row.milliseconds, 3)) | \(row.runCount) |")
    }
  }

  private func rounded(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }
}

/// The median of `runCount` runs of `run`, which tells how long the part took that counts.
func measure(
  _ name: String, operations: UInt64, runCount: Int = 7, _ run: () -> Duration
) -> Row {
  // The first run only warms up.
  _ = run()
  let times = (0..<runCount).map { _ in run() }.sorted()
  return Row(
    name: name, operationCount: operations, median: times[times.count / 2], runCount: runCount)
}

/// How long `body` takes.
@inline(__always)
func time(_ body: () -> Void) -> Duration { ContinuousClock().measure(body) }

/// Where results go, so that none is optimised away.
@inline(never)
@_optimize(none)
func keep(_ value: UInt64) {}
