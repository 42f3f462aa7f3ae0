import CacheTestSupport
import Testing

@testable import CacheCore

/// MSET: all or nothing as far as the map can undo, and any number of keys beyond.
@Suite struct SeveralKeysTests {
  private func pairs(_ range: Range<Int>, _ value: String) -> [[UInt8]] {
    range.flatMap { [Array("key \($0)".utf8), Array("\(value) \($0)".utf8)] }
  }

  @Test(arguments: [1, 100, 1500, 20_000])
  func anyNumberOfKeys(count: Int) throws {
    let bench = try CacheBench()
    // Some have deadlines, which go.
    for number in stride(from: 0, to: count, by: 7) {
      let request = ["SET", "key \(number)", "x", "EX", "100"].map { Array($0.utf8) }
      #expect(bench.send(bytes: Wire.request(request)) == Array("+OK\r\n".utf8))
    }
    let mset = Wire.request([Array("MSET".utf8)] + pairs(0..<count, "value"))
    #expect(bench.send(bytes: mset) == Array("+OK\r\n".utf8))
    #expect(bench.count == count)
    #expect(bench.deadlineCount == 0)
    #expect(try bench.countedDeadlines() == 0)
    let mget = Wire.request([Array("MGET".utf8)] + (0..<count).map { Array("key \($0)".utf8) })
    let expected = (0..<count).flatMap { Wire.bulk(Array("value \($0)".utf8)) }
    #expect(bench.send(bytes: mget) == Array("*\(count)\r\n".utf8) + expected)
    #expect(bench.problems() == [])
    let msetnx = Wire.request([Array("MSETNX".utf8)] + pairs(count - 1..<count + 9, "other"))
    #expect(bench.send(bytes: msetnx) == Array(":0\r\n".utf8))
    #expect(bench.count == count)
  }

  /// Memory ends in the middle: no key of it is there, and none has another value.
  @Test func shortageInTheMiddle() throws {
    let bench = try CacheBench()
    for number in 0..<50 {
      let request = ["SET", "key \(number)", "old", "EX", "100"].map { Array($0.utf8) }
      #expect(bench.send(bytes: Wire.request(request)) == Array("+OK\r\n".utf8))
    }
    bench.cache!.settings.maximumByteCount = bench.byteCount + (2 << 20)
    let large = (0..<100).flatMap {
      [Array("key \($0)".utf8), [UInt8](repeating: 1, count: 100_000)]
    }
    let reply = bench.send(bytes: Wire.request([Array("MSET".utf8)] + large))
    #expect(reply == Array("-OOM command not allowed when used memory > 'maxmemory'.\r\n".utf8))
    #expect(bench.count == 50)
    #expect(bench.deadlineCount == 50)
    #expect(try bench.countedDeadlines() == 50)
    for number in 0..<50 {
      #expect(bench.get(Array("key \(number)".utf8)) == Wire.bulk(Array("old".utf8)))
    }
    #expect(bench.problems() == [])
  }
}
