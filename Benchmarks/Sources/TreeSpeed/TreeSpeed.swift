import Peers

/// Measures the product and its peers on the same keys, and prints tables of ratios.
///
///     swift run -c release --package-path Benchmarks TreeSpeed [REPETITIONS]
@main
struct TreeSpeed {
  static func main() throws {
    peer_print_lines()
    let repetitions = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 3
    peer_start_sleeper()
    let product = try Product()
    let tables = unsafe [
      peer_textbook_locked, peer_textbook, peer_roaring32, peer_roaring64, peer_judy,
    ]
    let makers: [(name: String, make: () -> (any PageSet)?)] =
      unsafe tables.map { table in
        (unsafe String(cString: table.name), { unsafe CPeer(table) })
      } + [("Set", { SetPeer() }), ("BitSet", { BitSetPeer() })]
    let sets = makers.map { ($0.name, $0.make()) }
    printRatios([(product.name, product)] + sets, repetitions: repetitions)
    printBytes(product, repetitions: repetitions)
    try Threads.printTable(repetitions: repetitions)
    if let textbook = sets[0].1 { printGrowth(product, textbook, repetitions: repetitions) }
    printMemory([(product.name, { try? Product() })] + makers.filter { $0.name != "C, no mutex" })
  }
}
