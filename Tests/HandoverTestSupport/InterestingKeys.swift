/// Keys at the edges of a tree's structure.
package enum InterestingKeys {
  /// The key of block `number` of `order`, written down from `FormatTree.md`.
  package static func key(order: Int, block number: UInt64, shift: Int) -> UInt64 {
    (1 << UInt64(64 - shift - order)) | number
  }

  /// Block numbers of `order` at edges of words, leaves and tables, and at both ends of memory.
  package static func blockNumbers(order: Int, shift: Int) -> [UInt64] {
    let top = 64 - shift - order
    let largest: UInt64 = (1 << UInt64(top)) - 1
    var edges: [UInt64] = [64, 1 << UInt64(shift + 3)]
    var edgeShift = 2 * shift
    while edgeShift < top {
      edges.append(1 << UInt64(edgeShift))
      edgeShift += shift - 3
    }
    var numbers: Set<UInt64> = [0, 1, 2, largest - 1, largest]
    for edge in edges { numbers.formUnion([edge - 1, edge, edge + 1]) }
    return numbers.filter { $0 <= largest }.sorted()
  }

  /// A key that is likely at an edge of something.
  package static func random(shift: Int, using generator: inout SeededGenerator) -> UInt64 {
    let largestOrder = 63 - shift
    let orders = [
      0, 1, 2, 9, 10, 64 - 2 * shift - 3, 64 - 2 * shift - 4, largestOrder - 5, largestOrder,
    ]
    .filter { $0 >= 0 && $0 <= largestOrder }
    let order =
      generator.isOne(in: 4) ? generator.index(below: largestOrder + 1) : generator.pick(orders)
    let top = UInt64(64 - shift - order)
    var number = generator.pick(blockNumbers(order: order, shift: shift))
    if generator.isOne(in: 3) { number &+= UInt64(generator.index(below: 70)) }
    if generator.isOne(in: 12) { number = generator.next() }
    return 1 << top | number & (1 << top - 1)
  }
}
