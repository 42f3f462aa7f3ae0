import KexecHandover
import Measuring
import PersistentCollections

/// The typed maps beside a dictionary of the same process: `String` to 64 bytes, keys in no order.
///
///     swift run -c release --package-path Benchmarks MapSpeed [REPETITIONS] [LARGEST]
///
/// Prints a Markdown table: nanoseconds for each operation of `Dictionary`, the median of the repetitions, and
/// how many times as long the others take, the median of the ratios within a repetition.
@main
struct MapSpeed {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let repetitionCount = max(arguments.first ?? 5, 1)
    let largest = arguments.dropFirst().first ?? 10_000_000
    print("| String → 64 bytes | entries | Dictionary, ns | PersistentMap | StoreMap |")
    print("|---|--:|--:|--:|--:|")
    for count in [10_000, 100_000, 1_000_000, 10_000_000] where count <= largest {
      let keys = (0..<count).map { "user:\(UInt64($0) &* 0x9e37_79b9_7f4a_7c15)" }
      var rounds: [Operation: [[Double]]] = [:]
      for _ in 0..<repetitionCount {
        for (operation, times) in try measure(keys) { rounds[operation, default: []].append(times) }
      }
      for operation in Operation.allCases { row(operation, count, rounds[operation] ?? []) }
    }
  }

  enum Operation: String, CaseIterable {
    case insert = "set, new"
    case get
    case replace = "set, there"
  }

  private static func row(_ operation: Operation, _ count: Int, _ rounds: [[Double]]) {
    let base = median(rounds.map { $0[0] })
    let ratios = (1...2).map { map in median(rounds.map { $0[map] / $0[0] }) }
    print(
      "| \(operation.rawValue) | \(count) | \(rounded(base)) | "
        + ratios.map { "\(rounded($0))×" }.joined(separator: " | ") + " |")
  }

  private static func rounded(_ value: Double?) -> Double {
    ((value ?? .nan) * 100).rounded() / 100
  }

  /// Nanoseconds for each operation: of the dictionary, the map, the store's map.
  private static func measure(_ keys: [String]) throws -> [Operation: [Double]] {
    // All are used in the same order, which is not that of the keys' making.
    let count = UInt64(keys.count)
    let order = (0..<count).map { Int($0 &* 7_368_787 % count) }
    let value = [UInt8](repeating: 0x5a, count: 64)
    let other = [UInt8](repeating: 0xa5, count: 64)
    let capacity = UInt64(max(keys.count, 100_000)) * 400
    var dictionary: [String: [UInt8]] = [:]
    var map = try PersistentMap<String, [UInt8]>.open(
      PreservedMemory(creating: .memfd(name: "map"), byteCount: 1 << 20, growableTo: capacity))
    let store = try PersistentStore(
      PreservedMemory(creating: .memfd(name: "store"), byteCount: 1 << 20, growableTo: capacity))
    let stored = try store.map("map", of: (String.self, [UInt8].self))

    var times: [Operation: [Double]] = [:]
    func time(_ operation: Operation, _ body: (String) throws -> Void) rethrows {
      let time = try nanoseconds { for index in order { try body(keys[index]) } }
      times[operation, default: []].append(time / Double(keys.count))
    }
    time(.insert) { dictionary[$0] = value }
    try time(.insert) { try map.setValue(value, of: $0) }
    try time(.insert) { try stored.set(value, for: $0) }
    var sums = [0, 0, 0]
    time(.get) { sums[0] += Int(dictionary[$0]![63]) }
    try time(.get) { sums[1] += Int(try map.value(of: $0)![63]) }
    try time(.get) { sums[2] += Int(try stored[$0]![63]) }
    guard sums == Array(repeating: keys.count * 0x5a, count: 3) else {
      fatalError("the values differ")
    }
    time(.replace) { dictionary[$0] = other }
    try time(.replace) { try map.setValue(other, of: $0) }
    try time(.replace) { try stored.set(other, for: $0) }
    guard map.count == dictionary.count, try stored.count == dictionary.count else {
      fatalError("the counts differ")
    }
    return times
  }
}
