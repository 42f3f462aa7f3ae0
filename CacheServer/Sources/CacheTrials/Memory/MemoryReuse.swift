internal import TrialSupport

/// How much of the memory that deleted values of one size leave is used again by values of another size.
struct MemoryReuse {
  /// maxmemory, in megabytes.
  let limit: Int

  /// Old and new size of values.
  private static let changes = [(old: 3000, new: 100), (old: 1000, new: 5_000_000)]
  private static let largeCount = 8
  private static let largeByteCount = 5_000_000

  func run(in workshop: Workshop) throws {
    var table = Report.Table(
      "memory that was freed and is used again; maxmemory \(limit)mb",
      [("WHAT", "what"), ("CACHE-SERVER", "cache"), ("REDIS", "redis")])
    for (old, new) in Self.changes {
      workshop.progress("reuse: \(old) bytes to \(new)")
      let own = try share(.cache, old, new, workshop)
      let other = try share(.redis, old, new, workshop)
      table.add([
        .words("noeviction, \(old) B to \(new) B: of four fifths freed"),
        .measured(own, "\(decimal(own * 100, 0)) %"),
        .measured(other, "\(decimal(other * 100, 0)) %"),
      ])
      workshop.claim(
        "\(old) B to \(new) B: cache-server uses at least Redis's share again", own >= other,
        "\(decimal(own * 100, 0)) % and \(decimal(other * 100, 0)) %")
    }
    workshop.progress("large values among small ones")
    let own = try lostCount(.cache, workshop)
    let other = try lostCount(.redis, workshop)
    table.add([
      .words(
        "allkeys-lru, half full of 1000 B: keys that \(Self.largeCount) values of 5 MB cost"),
      .count(own), .count(other),
    ])
    workshop.claim(
      "\(Self.largeCount) values of 5 MB cost no more keys than in Redis", own <= other,
      "\(own) and \(other)")
    workshop.add(table)
  }

  private func start(
    _ kind: TrialServer.Kind, _ policy: String, _ workshop: Workshop
  ) throws -> TrialServer {
    let server = try TrialServer(
      kind, in: workshop, extra: ["--maxmemory", "\(limit)mb", "--maxmemory-policy", policy])
    try server.awaitReady()
    return server
  }

  /// The bytes of new values that fit, over those of the old ones that were deleted.
  private func share(
    _ kind: TrialServer.Kind, _ old: Int, _ new: Int, _ workshop: Workshop
  ) throws -> Double {
    let server = try start(kind, "noeviction", workshop)
    defer { server.stop() }
    let setter = try ValueSetter(server, seed: workshop.options.seed)
    let stored = try setter.fill("old", valueByteCount: old, upTo: .max >> 40)
    var generator = SplitMix(seed: workshop.options.seed)
    let deleted = (0..<stored).filter { _ in !generator.isOne(in: 5) }
    try setter.delete("old", deleted)
    let refilled = try setter.fill("new", valueByteCount: new, upTo: .max >> 40)
    return Double(refilled * new) / Double(deleted.count * old)
  }

  private func lostCount(_ kind: TrialServer.Kind, _ workshop: Workshop) throws -> Int {
    let server = try start(kind, "allkeys-lru", workshop)
    defer { server.stop() }
    let setter = try ValueSetter(server, seed: workshop.options.seed)
    let count = limit * 1_048_576 / 2 / 1100
    guard try setter.fill("small", valueByteCount: 1000, upTo: count) == count else {
      throw TrialFailure("\(kind.rawValue) refuses values of 1000 bytes")
    }
    for number in 0..<Self.largeCount {
      guard try setter.set("large", number, valueByteCount: Self.largeByteCount) else {
        throw TrialFailure("\(kind.rawValue) refuses a value of 5 MB")
      }
    }
    return count - (try setter.countPresent("small", count))
  }
}
