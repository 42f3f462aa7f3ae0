import Benchmark
import KexecHandover
import PersistentCollections
import TreeWorkloads

/// A persistent map of numbers in memory that outlives the process: 2^16 entries, asked in no order.
func addMapBenchmarks() {
  let keys = Array(0..<1 << 16 as Range<UInt64>).inDisorder(seed: 6)
  let title = "65536 operations"
  Benchmark("persistent map; set, new (\(title))", configuration: configuration) { benchmark in
    var map = try emptyMap()
    benchmark.startMeasurement()
    for key in keys { try map.setValue(~key, of: key) }
    benchmark.stopMeasurement()
    blackHole(map.count)
  }
  Benchmark("persistent map; set, there (\(title))", configuration: configuration) { benchmark in
    var map = try emptyMap()
    for key in keys { try map.setValue(~key, of: key) }
    benchmark.startMeasurement()
    for key in keys { try map.setValue(key, of: key) }
    benchmark.stopMeasurement()
    blackHole(map.count)
  }
  Benchmark("persistent map; get (\(title))", configuration: configuration) { benchmark in
    var map = try emptyMap()
    for key in keys { try map.setValue(~key, of: key) }
    var sum: UInt64 = 0
    benchmark.startMeasurement()
    for key in keys { sum &+= try map.value(of: key) ?? 0 }
    benchmark.stopMeasurement()
    blackHole(sum)
  }
}

private func emptyMap() throws -> PersistentMap<UInt64, UInt64> {
  try PersistentMap.open(
    PreservedMemory(creating: .memfd(name: "map"), byteCount: 1 << 20, growableTo: 1 << 28))
}
