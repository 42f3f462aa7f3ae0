import KexecHandover

/// Measures the tree's basic operations on 64 GiB of single pages, and prints a table.
///
///     swift run -c release --package-path Benchmarks TreeSpeed
@main
struct TreeSpeed {
  static let keyCount: UInt64 = 1 << 24

  static func main() throws {
    var table = Table()
    for row in try rows() { table.add(row) }
    table.print()
  }

  static func rows() throws -> [Row] {
    var bench = try Bench(keyCount: keyCount)
    return [
      bench.sequentialInsert(),
      bench.repeatedInsert(),
      bench.randomInsert(),
      bench.contains(),
      bench.walkKeys("walk by key, dense"),
      bench.walkRanges(),
      bench.count(),
      bench.sequentialRemove(),
      bench.walkKeys("walk by key, one in ten", step: 10),
      bench.untrustedSurvey(),
    ]
  }
}
