internal import TrialSupport

/// How much memory entries take, for values of several sizes.
struct MemoryBySize {
  /// The bytes to store for each size of values.
  let payload: Int
  static let sizes = [3, 50, 300, 1000, 10_000, 100_000]

  func run(in workshop: Workshop) throws {
    var table = Report.Table(
      "bytes that an entry takes, over those of its key and value; empty servers subtracted",
      [
        ("VALUE", "value_bytes"), ("ENTRIES", "entries"), ("CACHE-SERVER", "cache"),
        ("REDIS", "redis"),
      ])
    for size in Self.sizes {
      workshop.progress("memory of values of \(size) bytes")
      let count = max(100, min(payload / (size + 60), 500_000))
      let own = try ratio(.cache, size, count, workshop)
      let other = try ratio(.redis, size, count, workshop)
      table.add([
        .count(size), .count(count), .measured(own, decimal(own, 3)),
        .measured(other, decimal(other, 3)),
      ])
    }
    workshop.add(table)
  }

  private func ratio(
    _ kind: TrialServer.Kind, _ size: Int, _ count: Int, _ workshop: Workshop
  ) throws -> Double {
    let server = try TrialServer(
      kind, in: workshop, extra: kind == .cache ? ["--capacity", "4gb"] : [])
    defer { server.stop() }
    try server.awaitReady()
    let setter = try ValueSetter(server, seed: workshop.options.seed)
    let empty = try server.measureMemory()
    guard try setter.fill("k", valueByteCount: size, upTo: count) == count else {
      throw TrialFailure("\(kind.rawValue) refuses values of \(size) bytes")
    }
    let keyByteCount = (0..<count).reduce(0) { $0 + 2 + "\($1)".utf8.count }
    return Double(try server.measureMemory() - empty) / Double(keyByteCount + size * count)
  }
}
