import Peers
import TreeWorkloads

/// Measures the product and its peers on the same keys, and prints tables of ratios.
///
/// TABLE is one of ratios, bytes, threads, growth, memory; all without TABLE. Two more are printed only if they
/// are asked for: `product`, the ratios' workloads on the product alone, to compare two versions of it, and
/// `textbook`, with the C peer without its mutex alone. ROW is a part of the names of the workloads that are wanted
/// of these three.
///
///     swift run -c release --package-path Benchmarks TreeSpeed [REPETITIONS [TABLE [ROW]]]
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
    let only = CommandLine.arguments.dropFirst(2).first
    let row = CommandLine.arguments.dropFirst(3).first
    func isWanted(_ table: String) -> Bool { only == nil || only == table }
    if isWanted("ratios") {
      printRatios([(product.name, product)] + sets, repetitions: repetitions, row: row)
    }
    if only == "product" || only == "textbook" {
      let peers = only == "product" ? [] : sets.filter { $0.0 == "C, no mutex" }
      printRatios([(product.name, product)] + peers, repetitions: repetitions, row: row)
    }
    if isWanted("bytes") { printBytes(product, repetitions: repetitions) }
    // Which core a thread gets, and what else runs there, shows in these more than in others.
    if isWanted("threads") { try Threads.printTable(repetitions: repetitions * 3) }
    if isWanted("growth"), let textbook = sets[0].1 {
      printGrowth(product, textbook, repetitions: repetitions)
    }
    if isWanted("memory") {
      printMemory(
        [(product.name, { try? Product() })] + makers.filter { $0.name != "C, no mutex" })
    }
  }
}
