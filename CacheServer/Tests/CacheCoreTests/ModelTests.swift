import CacheTestSupport
import PersistentCollections
import RESP
import Testing
import TrialSupport

@testable import CacheCore

/// Random commands, and the same on a dictionary: after each the reply is the same, and after a
/// restart all values and deadlines.
@Suite struct ModelTests {
  struct Model {
    struct Entry: Equatable {
      var value: [UInt8]
      var deadline: UInt64 = 0
    }

    var entries: [[UInt8]: Entry] = [:]
    var now: UInt64

    mutating func entry(_ key: [UInt8]) -> Entry? {
      if let entry = entries[key], entry.deadline != 0, entry.deadline <= now { entries[key] = nil }
      return entries[key]
    }

    mutating func removeExpired() {
      for key in Array(entries.keys) { _ = entry(key) }
    }

    static func integer(_ value: Int64) -> [UInt8] { Array(":\(value)\r\n".utf8) }

    /// What the command does, and its reply.
    mutating func perform(_ words: [[UInt8]]) -> [UInt8] {
      let key = words[1]
      let found = entry(key)
      let ok = Array("+OK\r\n".utf8)
      switch String(decoding: words[0], as: UTF8.self) {
      case "GET": return CacheBench.reply(found?.value)
      case "SET":
        entries[key] = Entry(value: words[2])
        if words.count > 3 { entries[key]!.deadline = now + UInt64(words[4].decimal!) }
        return ok
      case "GETDEL":
        entries[key] = nil
        return CacheBench.reply(found?.value)
      case "APPEND":
        entries[key, default: Entry(value: [])].value += words[2]
        return Self.integer(Int64(entries[key]!.value.count))
      case "INCRBY":
        guard let old = found == nil ? 0 : found!.value.decimal else {
          return Array("-ERR value is not an integer or out of range\r\n".utf8)
        }
        let new = old + words[2].decimal!
        entries[key, default: Entry(value: [])].value = Array("\(new)".utf8)
        return Self.integer(new)
      case "PEXPIRE":
        if found != nil { entries[key]!.deadline = now + UInt64(words[2].decimal!) }
        return Self.integer(found == nil ? 0 : 1)
      case "PERSIST":
        if found != nil { entries[key]!.deadline = 0 }
        return Self.integer(found?.deadline ?? 0 == 0 ? 0 : 1)
      case "PTTL":
        guard let found else { return Self.integer(-2) }
        return Self.integer(found.deadline == 0 ? -1 : Int64(found.deadline - now))
      case "SETRANGE":
        let offset = Int(words[2].decimal!)
        var value = found?.value ?? []
        let end = offset + words[3].count
        if value.count < end { value += [UInt8](repeating: 0, count: end - value.count) }
        value.replaceSubrange(offset..<end, with: words[3])
        entries[key, default: Entry(value: [])].value = value
        return Self.integer(Int64(value.count))
      case "MSET":
        for index in stride(from: 1, to: words.count, by: 2) {
          entries[words[index]] = Entry(value: words[index + 1])
        }
        return ok
      case "DEL":
        var count: Int64 = 0
        for key in words[1...] where entry(key) != nil {
          entries[key] = nil
          count += 1
        }
        return Self.integer(count)
      default: return []
      }
    }
  }

  @Test(
    arguments: [(1, 5, 20), (2, 60, 300), (3, 2000, 60), (4, 30, 40_000)] as [(UInt64, Int, Int)])
  func randomCommands(seed: UInt64, keyCount: Int, largest: Int) throws {
    var generator = SplitMix(seed: seed)
    let bench = try CacheBench()
    var model = Model(now: bench.time)
    for number in 0..<4000 {
      if generator.number(below: 10) == 0 {
        bench.time += UInt64(generator.number(below: 50))
        model.now = bench.time
      }
      let words = Self.command(keyCount, largest, &generator)
      let reply = bench.send(bytes: Wire.request(words))
      let expected = model.perform(words)
      try #require(
        reply == expected,
        "seed \(seed), command \(number): \(Wire.text(Array(words.joined(separator: [0x20]))).prefix(200))"
      )
      if number % 500 == 499 {
        if number % 1000 == 999 { try bench.restart() }
        try compare(bench, &model, "seed \(seed), after command \(number)")
      }
    }
  }

  private static func command(
    _ keyCount: Int, _ largest: Int, _ generator: inout SplitMix
  ) -> [[UInt8]] {
    func key() -> [UInt8] { Array("key \(generator.number(below: keyCount))".utf8) }
    func value() -> [UInt8] {
      generator.number(below: 4) == 0
        ? Array("\(generator.number(below: 1000))".utf8)
        : generator.bytes(generator.number(below: 1 + generator.number(below: largest + 1)))
    }
    func word(_ text: String) -> [UInt8] { Array(text.utf8) }
    func number(_ bound: Int) -> [UInt8] { word("\(1 + generator.number(below: bound))") }
    switch generator.number(below: 20) {
    case 0..<3: return [word("GET"), key()]
    case 3..<6: return [word("SET"), key(), value()]
    case 6..<8: return [word("SET"), key(), value(), word("PX"), number(2000)]
    case 8: return [word("GETDEL"), key()]
    case 9: return [word("APPEND"), key(), value()]
    case 10..<12: return [word("INCRBY"), key(), number(100)]
    case 12..<14: return [word("PEXPIRE"), key(), number(2000)]
    case 14: return [word("PERSIST"), key()]
    case 15..<17: return [word("PTTL"), key()]
    case 17: return [word("SETRANGE"), key(), number(50), value() + [1]]
    case 18:
      return [word("MSET")]
        + (0..<1 + generator.number(below: 20)).flatMap { _ in [key(), value()] }
    default: return [word("DEL"), key(), key()]
    }
  }

  private func compare(_ bench: CacheBench, _ model: inout Model, _ place: String) throws {
    // What is over is met by the search.
    bench.cache!.beginBatch(at: bench.time)
    for _ in 0..<4 + bench.count / 16 { _ = bench.cache!.sweepExpired(lookingAt: 64) }
    model.removeExpired()
    var found: [[UInt8]: Model.Entry] = [:]
    var cursor: UInt64 = 0
    repeat {
      cursor = try bench.cache!.map.scan(from: cursor) { key, value, metadata in
        found[key.array] = Model.Entry(value: value.array, deadline: metadata.first)
      }
    } while cursor != 0
    try #require(found == model.entries, "\(place)")
    try #require(bench.count == found.count)
    try #require(bench.deadlineCount == UInt64(found.values.count { $0.deadline != 0 }))
    try #require(bench.problems() == [], "\(place)")
  }
}

extension [UInt8] {
  /// The number that the bytes spell.
  fileprivate var decimal: Int64? {
    let text = String(decoding: self, as: UTF8.self)
    guard let value = Int64(text), "\(value)" == text else { return nil }
    return value
  }
}
