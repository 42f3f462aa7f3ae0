internal import TrialSupport

/// The storage of the memory file while values of all sizes replace each other.
struct MixedSizes {
  /// maxmemory, in megabytes.
  let limit: Int
  let seconds: Int

  private static let smallest = 50
  private static let keyCount = 20_000
  /// The most that the storage may take, as a multiple of maxmemory.
  private static let allowance = 1.05

  func run(in workshop: Workshop) throws {
    let server = try TrialServer(
      .cache, in: workshop,
      extra: [
        "--maxmemory", "\(limit)mb", "--maxmemory-policy", "allkeys-lru", "--capacity", "4gb",
      ])
    defer { server.stop() }
    try server.awaitReady()
    let setter = try ValueSetter(server, seed: workshop.options.seed)
    var generator = SplitMix(seed: workshop.options.seed)
    let end = SystemCalls.monotonicNanoseconds + UInt64(seconds) * 1_000_000_000
    var setCount = 0
    var refusedCount = 0
    var largest: UInt64 = 0
    while SystemCalls.monotonicNanoseconds < end {
      let size = min(generator.size(upTo: ValueSetter.longest) + Self.smallest, ValueSetter.longest)
      let number = generator.number(below: Self.keyCount)
      if try !setter.set("mixed", number, valueByteCount: size) { refusedCount += 1 }
      setCount += 1
      if setCount % 20 == 0 {
        largest = max(largest, try SystemCalls.storageByteCount(server.memoryFile))
        workshop.progress("mixed sizes: \(setCount) values, \(byteText(largest)) at most")
      }
    }
    let evicted = try server.askNumber("stats", "evicted_keys", setter.connection)
    let limitByteCount = UInt64(limit) << 20
    let ratio = Double(largest) / Double(limitByteCount)
    workshop.claim(
      "values of \(Self.smallest) bytes to 20 MB for \(seconds) s: none is refused",
      refusedCount == 0,
      "\(refusedCount) of \(setCount) refused, \(evicted) evicted")
    workshop.claim(
      "the storage of the memory file is at most \(decimal(Self.allowance, 2)) times maxmemory",
      ratio <= Self.allowance, "\(byteText(largest)), \(decimal(ratio, 3)) times")
    let answer = try setter.connection.call("FLUSHALL")
    let left = try SystemCalls.storageByteCount(server.memoryFile)
    workshop.claim(
      "FLUSHALL is answered, and the storage goes back", answer == .ok && left < 8 << 20,
      "\(byteText(left)) are left")
  }
}
