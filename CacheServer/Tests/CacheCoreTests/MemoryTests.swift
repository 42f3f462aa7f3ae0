import CacheTestSupport
import KexecHandover
import Testing
import TrialSupport

@testable import CacheCore

/// Entries whose time has come, and entries that do not fit.
@Suite struct MemoryTests {
  /// The search removes what has expired; what has time is left.
  @Test func sweep() throws {
    let bench = try CacheBench()
    for number in 0..<3000 {
      let time = number % 3 == 0 ? "" : number % 3 == 1 ? " PX 100" : " PX 5000"
      #expect(bench.send("SET key\(number) value\(time)") == "+OK⏎")
    }
    func sweepAll() -> Int {
      var removed = 0
      // Once around, and a bit more: the index shrinks meanwhile.
      for _ in 0..<2 * 3000 / 64 { removed += bench.cache!.sweepExpired(lookingAt: 64).removed }
      return removed
    }
    #expect(sweepAll() == 0)
    bench.time += 100
    bench.cache!.beginBatch(at: bench.time)
    #expect(sweepAll() == 1000)
    #expect(bench.count == 2000 && bench.deadlineCount == 1000)
    bench.time += 4900
    bench.cache!.beginBatch(at: bench.time)
    #expect(sweepAll() == 1000)
    #expect(bench.count == 1000 && bench.deadlineCount == 0)
    #expect(bench.figures.expiredCount == 2000)
    // Nothing has a deadline, so nothing is looked at.
    #expect(bench.cache!.sweepExpired(lookingAt: 64) == Cache.ExpirySweep())
    #expect(bench.problems() == [])
  }

  /// A limit, and values of all sizes: every SET finds room, and the limit is kept.
  @Test(arguments: [3, 4])
  func evictionWithMixedSizes(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    let limit: UInt64 = 16 << 20
    let bench = try CacheBench(
      settings: Settings(maximumByteCount: limit, policy: .allkeysLRU))
    var last: [[UInt8]: [UInt8]] = [:]
    for number in 0..<2400 {
      let sizes = [10, 100, 1000, 10_000, 100_000, 1_000_000]
      // First small ones, then large ones, then small ones again.
      let choices = number < 1000 ? Array(sizes[..<3]) : number < 1400 ? Array(sizes[2...]) : sizes
      let size = generator.element(of: choices)
      let key = Array("key \(generator.number(below: 2000))".utf8)
      let value = [UInt8](
        repeating: UInt8(truncatingIfNeeded: number), count: generator.number(below: size))
      bench.time += 1
      try #require(bench.set(key, value) == Array("+OK\r\n".utf8), "seed \(seed), \(number)")
      last[key] = value
      try #require(bench.get(key) == Wire.bulk(value))
      try #require(bench.byteCount <= limit)
    }
    #expect(bench.figures.evictedCount > 0)
    var foundCount = 0
    for (key, value) in last {
      let reply = bench.get(key)
      try #require(reply == Wire.bulk(value) || reply == CacheBench.reply(nil))
      if reply != CacheBench.reply(nil) { foundCount += 1 }
    }
    #expect(foundCount == bench.count && foundCount > 0)
    #expect(bench.problems() == [])
  }

  /// What is used all the time stays, nearly always.
  @Test func leastRecentlyUsed() throws {
    let bench = try CacheBench(
      settings: Settings(maximumByteCount: 8 << 20, policy: .allkeysLRU, sampleCount: 10))
    let value = [UInt8](repeating: 1, count: 1000)
    for number in 0..<20_000 {
      bench.time += 1
      try #require(bench.set(Array("new \(number)".utf8), value) == Array("+OK\r\n".utf8))
      if number < 500 { _ = bench.set(Array("hot \(number)".utf8), value) }
      if number >= 500 { _ = bench.get(Array("hot \(number % 500)".utf8)) }
    }
    let hot = (0..<500).count { bench.get(Array("hot \($0)".utf8)) != CacheBench.reply(nil) }
    #expect(hot > 475)
    #expect(bench.figures.evictedCount > 10_000)
  }

  @Test func noEviction() throws {
    let bench = try CacheBench(settings: Settings(maximumByteCount: 8 << 20))
    let value = [UInt8](repeating: 1, count: 10_000)
    let stored = bench.fill("key", with: value)
    #expect(stored > 400)
    #expect(bench.set([1], value).starts(with: Array("-OOM".utf8)))
    #expect(bench.count == stored)
    // Reading, and removing, goes on.
    #expect(bench.get(Array("key 0".utf8)) == Wire.bulk(value))
    #expect(bench.send("DEL 'key 0'") == ":1⏎")
    #expect(bench.set(Array("key 0".utf8), value) == Array("+OK\r\n".utf8))
    // A limit below what is there: nothing is refused but what takes memory.
    #expect(bench.send("CONFIG SET maxmemory 4mb") == "+OK⏎")
    #expect(bench.send("INCR n").hasPrefix("-OOM"))
    #expect(bench.send("GET n") == "$-1⏎")
    #expect(bench.send("CONFIG SET maxmemory-policy allkeys-lru") == "+OK⏎")
    #expect(bench.send("INCR n") == ":1⏎")
    #expect(bench.problems() == [])
  }

  /// The file ends before the limit does.
  @Test func fullFile() throws {
    let memory = try PreservedMemory(
      creating: .memfd(name: "full"), byteCount: 4 << 20, growableTo: 16 << 20)
    let bench = try CacheBench(in: memory, at: 1_000_000)
    let value = [UInt8](repeating: 1, count: 50_000)
    var stored = 0
    var reply: [UInt8] = []
    repeat {
      reply = bench.set(Array("key \(stored)".utf8), value)
      stored += 1
    } while reply == Array("+OK\r\n".utf8)
    #expect(reply == Array("-OOM the memory file has grown to its capacity and is full\r\n".utf8))
    #expect(bench.count == stored - 1)
    #expect(bench.send("CONFIG SET maxmemory-policy allkeys-lru") == "+OK⏎")
    for number in 0..<1000 {
      try #require(bench.set(Array("more \(number)".utf8), value) == Array("+OK\r\n".utf8))
    }
    #expect(bench.problems() == [])
  }

  /// A clock that is set back by a year does not keep what was written before from being evicted.
  @Test func clockSetBack() throws {
    let bench = try CacheBench(
      settings: Settings(maximumByteCount: 8 << 20, policy: .allkeysLRU, sampleCount: 10))
    let value = [UInt8](repeating: 1, count: 1000)
    for number in 0..<5000 {
      bench.time += 1
      try #require(bench.set(Array("old \(number)".utf8), value) == Array("+OK\r\n".utf8))
    }
    let year: UInt64 = 365 * 86_400_000
    bench.time -= year
    for number in 0..<5000 {
      bench.time += 1
      try #require(bench.set(Array("new \(number)".utf8), value) == Array("+OK\r\n".utf8))
      // The next process goes on with the clock of this one.
      if number == 2500 { try bench.restart() }
    }
    #expect(bench.send("OBJECT IDLETIME 'new 4999'") == ":0⏎")
    func count(_ name: String) -> Int {
      (0..<5000).count { bench.get(Array("\(name) \($0)".utf8)) != CacheBench.reply(nil) }
    }
    #expect(count("new") > 4500)
    #expect(bench.problems() == [])
  }

  /// EXISTS, TYPE, TTL and OBJECT look, and do not use; TOUCH and GET use.
  @Test func whatIsAnAccess() throws {
    let bench = try CacheBench()
    #expect(bench.send("SET a 1") == "+OK⏎")
    bench.time += 5000
    for look in ["EXISTS a", "TYPE a", "TTL a", "OBJECT ENCODING a", "OBJECT IDLETIME a"] {
      _ = bench.send(look)
      #expect(bench.send("OBJECT IDLETIME a") == ":5⏎", "\(look)")
    }
    for use in ["TOUCH a", "GET a"] {
      _ = bench.send(use)
      #expect(bench.send("OBJECT IDLETIME a") == ":0⏎", "\(use)")
      bench.time += 5000
    }
  }

  /// Values of several megabytes among small ones: they find room, and cost few of the others.
  @Test func largeValuesAmongSmall() throws {
    let bench = try CacheBench(
      settings: Settings(maximumByteCount: 48 << 20, policy: .allkeysLRU))
    let small = [UInt8](repeating: 1, count: 1000)
    var count = 0
    while bench.figures.evictedCount == 0 {
      try #require(bench.set(Array("small \(count)".utf8), small) == Array("+OK\r\n".utf8))
      count += 1
    }
    for number in 0..<8 {
      bench.time += 1
      let large = [UInt8](repeating: UInt8(number), count: 5_000_000)
      try #require(bench.set(Array("large \(number)".utf8), large) == Array("+OK\r\n".utf8))
      try #require(bench.get(Array("large \(number)".utf8)) == Wire.bulk(large))
    }
    // 40 MB were needed, and a block of 8 MiB for each.
    #expect(bench.figures.evictedCount < UInt64(count))
    #expect(bench.byteCount <= 48 << 20)
    #expect(bench.problems() == [])
  }

  /// A full memory file: FLUSHALL and FLUSHDB are never refused, and give the memory back.
  @Test func flushWhenFull() throws {
    let memory = try PreservedMemory(
      creating: .memfd(name: "full"), byteCount: 4 << 20, growableTo: 16 << 20)
    let bench = try CacheBench(in: memory, at: 1_000_000)
    let value = [UInt8](repeating: 1, count: 900)
    for (round, flush) in ["FLUSHALL", "FLUSHDB", "FLUSHDB"].enumerated() {
      // Of several databases, one is emptied entry by entry.
      if round == 2 { #expect(bench.send("SELECT 1") == "+OK⏎" && bench.send("SET b 1") == "+OK⏎") }
      #expect(bench.send("SELECT 0") == "+OK⏎")
      let stored = bench.fill("key", with: value)
      #expect(stored > 10_000, "round \(round)")
      #expect(bench.send(flush) == "+OK⏎")
      #expect(bench.send("DBSIZE") == ":0⏎")
      if round == 2 { #expect(bench.send("MEMORY PURGE") == "+OK⏎") }
      let left = bench.withCache { $0.storedByteCount }
      #expect(left < 3 << 20, "\(left)")
      #expect(bench.problems() == [])
    }
  }

  /// Without eviction, memory freed in one size serves another, also over `MEMORY PURGE`.
  @Test func otherSizesWithoutEviction() throws {
    let bench = try CacheBench(settings: Settings(maximumByteCount: 16 << 20))
    let old = [UInt8](repeating: 1, count: 3000)
    let count = bench.fill("old", with: old)
    for number in 0..<count where number % 5 != 0 { _ = bench.send("DEL 'old \(number)'") }
    let new = [UInt8](repeating: 2, count: 100)
    let stored = bench.fill("new", with: new)
    #expect(stored * 100 > count / 5 * 4 * 3000 / 2)
    #expect(bench.send("MEMORY PURGE") == "+OK⏎")
    #expect(bench.get(Array("old 5".utf8)) == Wire.bulk(old))
    #expect(bench.send("MEMORY DOCTOR").contains("writes will be refused"))
    for number in 0..<stored where number % 10 != 0 { _ = bench.send("DEL 'new \(number)'") }
    let before = bench.byteCount
    // Each ends after a while, so that others do not wait long.
    for _ in 0..<1000 where bench.byteCount >= before / 2 {
      try #require(bench.send("MEMORY PURGE") == "+OK⏎")
    }
    #expect(bench.byteCount < before / 2)
    #expect(bench.problems() == [])
  }

  /// Without eviction, the memory of small values serves large ones, as far as deleted values have left it.
  @Test func smallFreedForLarge() throws {
    let bench = try CacheBench(settings: Settings(maximumByteCount: 48 << 20))
    let small = [UInt8](repeating: 1, count: 1000)
    let count = bench.fill("small", with: small)
    for number in 0..<count where number % 5 != 0 { _ = bench.send("DEL 'small \(number)'") }
    let large = [UInt8](repeating: 2, count: 5_000_000)
    let stored = bench.fill("large", with: large)
    // 38 MiB were deleted, which hold eight without any loss.
    #expect(stored >= 6, "\(stored)")
    for number in stride(from: 0, to: count, by: 5) {
      try #require(bench.get(Array("small \(number)".utf8)) == Wire.bulk(small))
    }
    #expect(bench.byteCount <= 48 << 20)
    #expect(bench.problems() == [])
  }

  /// What a value takes, and nothing for a key that does not exist.
  @Test func usage() throws {
    let bench = try CacheBench()
    let value = [UInt8](repeating: 1, count: 100_000)
    #expect(bench.set(Array("a".utf8), value) == Array("+OK\r\n".utf8))
    let reply = bench.send("MEMORY USAGE a")
    let byteCount = try #require(Int(reply.dropFirst().prefix { $0 != "⏎" }))
    #expect(byteCount >= 100_000 && byteCount < 140_000, "\(reply)")
    #expect(bench.send("MEMORY USAGE b") == "$-1⏎")
  }

  @Test func containerLimit() throws {
    let bench = try CacheBench()
    bench.withCache { $0.containerByteLimit = 8 << 20 }
    let value = [UInt8](repeating: 1, count: 10_000)
    let stored = bench.fill("key", with: value)
    #expect(stored > 300 && bench.byteCount <= 8 << 20)
  }
}
