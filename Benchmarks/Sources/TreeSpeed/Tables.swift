import Measuring
import Peers
import TreeWorkloads

/// Rounded to three digits, as far as they say anything.
func rounded(_ value: Double?) -> String {
  guard let value else { return "–" }
  let scale = value < 0.1 ? 10000.0 : value < 10 ? 100.0 : value < 100 ? 10.0 : 1.0
  let number = (value * scale).rounded() / scale
  return scale == 1 ? "\(Int(number))" : "\(number)"
}

/// The product's time for each operation, and how many times as long each peer takes.
func printRatios(
  _ peers: [(name: String, set: (any PageSet)?)], repetitions: Int, row: String?
) {
  let there = peers.compactMap(\.set)
  print("| workload | operations | product, ns each |", terminator: "")
  for peer in peers.dropFirst() { print(" \(peer.name) |", terminator: "") }
  print("\n|---|--:|--:|" + String(repeating: "--:|", count: peers.count - 1))
  for workload in Workloads.all where row.map(workload.name.contains) ?? true {
    let result = measure(workload, on: there, repetitions: repetitions)
    var line =
      "| \(workload.name) | \(workload.operationCount) | \(rounded(result.nanoseconds(0))) |"
    for peer in peers.dropFirst() {
      guard let set = peer.set, let index = there.firstIndex(where: { $0 === set }) else {
        line += " not installed |"
        continue
      }
      line += " \(rounded(result.ratio(index)))× |"
    }
    print(line)
  }
}

/// Runs of the product against the bytes they are about.
func printBytes(_ product: Product, repetitions: Int) {
  let count = UInt64(Workloads.denseCount)
  let byteCount = Workloads.denseCount / 8
  guard let bytes = unsafe peer_map(byteCount) else { return }
  unsafe peer_fill(bytes, byteCount)
  func time(_ body: () -> Void, after prepare: () -> Void) -> Double {
    var times: [Double] = []
    for _ in 0...repetitions * 3 {
      prepare()
      times.append(nanoseconds(body))
    }
    return median(times) ?? .nan
  }
  let first = Workloads.firstFrame
  let fill = time({ unsafe peer_fill(bytes, byteCount) }, after: {})
  let read = time({ keep(unsafe peer_read(bytes, byteCount)) }, after: {})
  let new = time(
    { product.insertRange(first: first, count: count) }, after: { product.clear() })
  let remove = time(
    { product.removeRange(first: first, count: count) },
    after: { product.insertRange(first: first, count: count) })
  let insert = time(
    { product.insertRange(first: first, count: count) },
    after: { product.removeRange(first: first, count: count) })
  let walk = time({ product.forEachRun { keep($0 &+ $1) } }, after: {})
  product.clear()
  product.insertRange(first: first, count: 1 << 24)
  let more = time({ product.forEachRun { keep($0 &+ $1) } }, after: {})
  print("\n| 16 GiB of single pages, 512 KiB of bitmap | µs | of the bytes' time |")
  print("|---|--:|--:|")
  print("| memset of the bytes | \(rounded(fill / 1000)) | |")
  print("| insert range, leaves there | \(rounded(insert / 1000)) | \(rounded(insert / fill))× |")
  print("| insert range, new leaves | \(rounded(new / 1000)) | \(rounded(new / fill))× |")
  print("| remove range | \(rounded(remove / 1000)) | \(rounded(remove / fill))× |")
  print("| reading the bytes | \(rounded(read / 1000)) | |")
  print("| walk by run | \(rounded(walk / 1000)) | \(rounded(walk / read))× |")
  print("| walk by run, 2^24 pages (64 GiB) | \(rounded(more / 1000)) | |")
}

/// What each set takes in memory, by workload.
func printMemory(_ makers: [(name: String, make: () -> (any PageSet)?)]) {
  let tenth = Workloads.sparse(oneIn: 10)
  let folios = Folios.keys
  let cases: [(String, Keys, UInt64)] = [
    ("dense single pages", Workloads.dense, UInt64(Workloads.denseCount)),
    ("10 % of single pages", .array(tenth), UInt64(tenth.count)),
    (
      "folios of mixed orders", .array(folios),
      folios.reduce(0) { $0 + 1 << UInt64($1.leadingZeroBitCount - 11) }
    ),
  ]
  print("\n| KiB for each GiB preserved |", terminator: "")
  for maker in makers { print(" \(maker.name) |", terminator: "") }
  print("\n|---|" + String(repeating: "--:|", count: makers.count))
  for (name, keys, pageCount) in cases {
    var line = "| \(name) |"
    for maker in makers {
      let before = peer_heap_bytes()
      guard let set = maker.make() else {
        line += " not installed |"
        continue
      }
      keep(set.insert(keys))
      let byteCount = set.byteCount ?? (peer_heap_bytes() &- before)
      withExtendedLifetime(set) {}
      let gibibytes = Double(pageCount) / Double(Workloads.gibibyte)
      line += " \(rounded(Double(byteCount) / 1024 / gibibytes)) |"
    }
    print(line)
  }
}

/// Random keys over ever more memory, for the product and the textbook: the data of the plot.
func printGrowth(_ product: Product, _ textbook: any PageSet, repetitions: Int) {
  let count = 1 << 21
  print("\n| growth: 2^21 random pages over | insert | batch | contains | C insert, mutex |")
  print("|---|--:|--:|--:|--:|")
  let gibibyte = Workloads.gibibyte
  for (name, frames) in [
    ("16 GiB", 16 * gibibyte), ("256 GiB", 256 * gibibyte), ("4 TiB", 4096 * gibibyte),
    ("16 TiB", 16384 * gibibyte),
  ] {
    let insert = measure(
      Workloads.insertRandom(name, frames, count: count), on: [product, textbook],
      repetitions: repetitions)
    let batch = measure(
      Workloads.insertMany(name, frames, count: count), on: [product], repetitions: repetitions)
    let contains = measure(
      Workloads.contains(name, frames, count: count), on: [product], repetitions: repetitions)
    print(
      "| \(name) | \(rounded(insert.nanoseconds(0))) | \(rounded(batch.nanoseconds(0))) | "
        + "\(rounded(contains.nanoseconds(0))) | \(rounded(insert.nanoseconds(1))) |")
  }
}
