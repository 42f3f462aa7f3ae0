import ArgumentParser
import HandoverDemo
import KHOCommands
import KexecHandover
import PersistentCollections

/// `kho-torture ordered`: an ordered map beside a model, for many operations.
struct OrderedMapTorture: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ordered",
    abstract: "Compares an ordered map with a model.",
    discussion: """
      Random operations on an ordered map, with pages of 4, 16 and 64 KiB by turns: set, remove, look up, \
      first, last, lower bound, ranges in both directions. Each result is compared with that of a sorted \
      array. After each million operations, all entries and the whole structure are compared.

      Exit status: 0 all results were equal, 1 one was not, 2 the command line is wrong.
      """)

  @Option(help: ArgumentHelp("How many operations.", valueName: "n"))
  var operations: UInt64 = 1_000_000

  @Option(help: ArgumentHelp("Where random numbers come from.", valueName: "s"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("How many different keys.", valueName: "n"))
  var keys = 100_000

  func validate() throws {
    guard operations > 0, (1...10_000_000).contains(keys) else {
      throw ValidationError("--operations is at least 1, --keys is from 1 to 10000000.")
    }
  }

  func run() throws {
    let clock = ContinuousClock()
    for (index, shift) in [12, 14, 16].enumerated() {
      let start = clock.now
      let count = operations / 3 + (UInt64(index) < operations % 3 ? 1 : 0)
      var comparison = try OrderedMapComparison(
        pageShift: shift, keyCount: keys, seed: seed &+ UInt64(shift))
      try comparison.run(count)
      let milliseconds = (clock.now - start).milliseconds
      Console.current.print(
        "pages of \(1 << (shift - 10)) KiB: \(count) operations, \(comparison.checkCount) checks of all, "
          + "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s: equal")
    }
  }
}

/// An ordered map, and a sorted array that says what should be in it.
private struct OrderedMapComparison {
  private let map: StoreOrderedMap<[UInt8], UInt64>
  /// All keys, sorted.
  private let keys: [[UInt8]]
  /// The value of each key; nil of one that the map should not have.
  private var values: [UInt64?]
  private var count = 0
  private var random: SplitMix
  private var done: UInt64 = 0
  private(set) var checkCount = 0

  init(pageShift: Int, keyCount: Int, seed: UInt64) throws {
    let memory = try PreservedMemory(
      creating: .memfd(name: "ordered"), byteCount: 1 << 20, growableTo: 1 << 32,
      geometry: PageGeometry(shift: pageShift))
    map = try PersistentStore(memory).orderedMap("map", of: ([UInt8].self, UInt64.self))
    var keys: Set<[UInt8]> = []
    for number in 0..<keyCount { keys.insert(Self.key(number)) }
    self.keys = keys.sorted { $0.lexicographicallyPrecedes($1) }
    values = Array(repeating: nil, count: keys.count)
    random = SplitMix(seed: seed)
  }

  /// Keys that share their first bytes, keys that begin others, short ones.
  private static func key(_ number: Int) -> [UInt8] {
    switch number % 3 {
    case 0: return Array("a long common beginning \(number)".utf8)
    case 1: return [UInt8](repeating: UInt8(number & 255), count: number % 40)
    default: return (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - $0 * 8)) }
    }
  }

  private func require(_ condition: Bool, _ what: String) throws {
    guard condition else {
      throw CommandFailure.findings("operation \(done): \(what) differs from the model")
    }
  }

  mutating func run(_ operationCount: UInt64) throws {
    for _ in 0..<operationCount {
      try step()
      done += 1
      if done.isMultiple(of: 1_000_000) { try compareAll() }
    }
    try compareAll()
  }

  private mutating func step() throws {
    let index = Int(random.next() % UInt64(keys.count))
    // It grows for half a million operations, and shrinks for as many.
    let setShare: UInt64 = done / 500_000 % 2 == 0 ? 50 : 25
    let kind = random.next() % 100
    if kind < setShare {
      let isNew = try map.set(done, for: keys[index])
      try require(isNew == (values[index] == nil), "whether the key of a new value was new")
      if values[index] == nil { count += 1 }
      values[index] = done
    } else if kind < 75 {
      let isRemoved = try map.remove(keys[index])
      try require(isRemoved == (values[index] != nil), "whether a key was removed")
      if values[index] != nil { count -= 1 }
      values[index] = nil
    } else if kind < 88 {
      try require(try map[keys[index]] == values[index], "a value")
    } else if kind < 93 {
      let found = try map.lowerBound(keys[index])
      let expected = next(index, forward: true)
      try require(found?.key == expected.map { keys[$0] }, "a lower bound")
      try require(found?.value == expected.flatMap { values[$0] }, "the value of a lower bound")
    } else if kind < 95 {
      try require(try map.first?.key == next(0, forward: true).map { keys[$0] }, "the first key")
      let last = next(keys.count - 1, forward: false)
      try require(try map.last?.key == last.map { keys[$0] }, "the last key")
    } else {
      try compareRange(from: index, reversed: kind < 97)
    }
  }

  /// The nearest index from `index` on, or back, whose key the map should have.
  private func next(_ index: Int, forward: Bool) -> Int? {
    var index = index
    while values.indices.contains(index) {
      if values[index] != nil { return index }
      index += forward ? 1 : -1
    }
    return nil
  }

  private func compareRange(from index: Int, reversed: Bool) throws {
    let end = min(index + 60, keys.count - 1)
    let found = Array(map.entries(from: keys[index], to: keys[end], reversed: reversed))
    let expected = (index..<end).filter { values[$0] != nil }
    let ordered = reversed ? expected.reversed() : expected
    try require(
      found.map(\.0).elementsEqual(ordered.map { keys[$0] }, by: ==), "a range")
    try require(found.map(\.1) == ordered.compactMap { values[$0] }, "the values of a range")
  }

  private mutating func compareAll() throws {
    checkCount += 1
    try require(try map.count == count, "the count")
    let report = try map.check()
    try require(report.findings.isEmpty, "the structure")
    for reversed in [false, true] {
      var index: Int? = reversed ? keys.count - 1 : 0
      for (key, value) in map.entries(from: nil, reversed: reversed) {
        guard let from = index, let expected = next(from, forward: !reversed) else {
          return try require(false, "the number of entries")
        }
        try require(key == keys[expected] && value == values[expected], "an entry")
        index = expected + (reversed ? -1 : 1)
      }
      let rest = index.flatMap { next($0, forward: !reversed) }
      try require(rest == nil, "the end of the entries")
    }
  }
}
