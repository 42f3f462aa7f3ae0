import Benchmark
import TreeWorkloads

/// The hot operations by themselves, with percentiles and baselines to compare two versions of the
/// product. Ratios to peers are TreeSpeed's: they want all in one process, in turns.
///
/// Each repetition is a whole workload of TreeSpeed; its name says over what.
let benchmarks: @Sendable () -> Void = {
  let wanted = [
    "insert, in order, 16 GiB", "insert, random, 16 GiB", "insert, random, 1 TiB",
    "insert batch, random, 1 TiB", "contains, random, 16 GiB", "remove, random, 16 GiB",
    "walk by key, dense 16 GiB", "walk by key, 10 % of 16 GiB", "walk by run, dense 16 GiB",
    "walk by run, every other page", "insert range, 16 GiB, leaves there",
    "rebuild of the allocator, folios",
  ]
  let workloads = Workloads.all
  // One for all, made by the first that runs.
  var product: Product?
  for name in wanted {
    guard let workload = workloads.first(where: { $0.name == name }) else {
      preconditionFailure("no workload is called \(name)")
    }
    // Baselines are kept in files of these names.
    let title = "\(name.replacing(", ", with: "; ")) (\(workload.operationCount) operations)"
    Benchmark(title, configuration: configuration) { benchmark in
      let set = try product ?? Product()
      product = set
      workload.prepare(set)
      benchmark.startMeasurement()
      workload.run(set)
      benchmark.stopMeasurement()
    }
  }
  addMapBenchmarks()
}

var configuration: Benchmark.Configuration {
  .init(
    metrics: [.wallClock], timeUnits: .microseconds, warmupIterations: 1, maxDuration: .seconds(1),
    maxIterations: 50)
}
