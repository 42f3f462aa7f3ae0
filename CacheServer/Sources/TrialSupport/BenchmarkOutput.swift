/// What `redis-benchmark --csv` says about a command.
public struct BenchmarkFigures: Equatable, Sendable {
  /// `SET`, `GET`.
  public let test: String
  /// Requests in a second.
  public let requestsPerSecond: Double
  /// The latency that half of the requests do not exceed, in milliseconds.
  public let p50: Double
  /// And 99 of 100.
  public let p99: Double

  /// The figures in what the program wrote; empty if it wrote others.
  public static func parse(_ output: String) -> [BenchmarkFigures] {
    let lines = output.split(whereSeparator: \.isNewline).map(fields)
    guard let start = lines.firstIndex(where: { $0.first == "test" }) else { return [] }
    let names = lines[start]
    return lines[(start + 1)...].compactMap { cells in
      func number(_ name: String) -> Double? {
        guard let column = names.firstIndex(of: name), column < cells.count else { return nil }
        return Double(cells[column])
      }
      guard cells.count == names.count, let rate = number("rps"),
        let p50 = number("p50_latency_ms"), let p99 = number("p99_latency_ms")
      else { return nil }
      return BenchmarkFigures(test: cells[0], requestsPerSecond: rate, p50: p50, p99: p99)
    }
  }

  private static func fields(_ line: Substring) -> [String] {
    line.split(separator: ",", omittingEmptySubsequences: false).map { field in
      field.hasPrefix("\"") && field.hasSuffix("\"") && field.count > 1
        ? String(field.dropFirst().dropLast()) : String(field)
    }
  }

  /// The lines of its output that report an error.
  public static func errors(in output: String) -> [String] {
    output.split { $0.isNewline }.map(String.init).filter {
      let line = $0.lowercased()
      return line.contains("error") || line.contains("refused") || line.contains("reset by")
    }
  }

  /// The lines of what it wrote that warn: of a CONFIG that is not understood, for instance.
  public static func warnings(in output: String) -> [String] {
    output.split { $0.isNewline }.map(String.init).filter { $0.hasPrefix("WARN") }
  }
}
