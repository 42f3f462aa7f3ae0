/// Blocks of mixed orders as a page allocator hands them out: from stretches of 2 MiB, in order
/// within a stretch, the stretches in no order.
package enum Folios {
  package static let keys: [UInt64] = {
    var generator = KeyGenerator(seed: 4)
    let stretches = (0..<8192 as Range<UInt64>).filter { _ in generator.next() % 2 == 0 }
    var keys: [UInt64] = []
    for stretch in stretches.inDisorder(seed: 5) {
      var page: UInt64 = 0
      while page < 512 {
        let orders: [UInt64] = [0, 0, 0, 0, 1, 2, 2, 4, 9]
        let order = min(
          orders[Int(generator.next() % UInt64(orders.count))],
          page == 0 ? 9 : UInt64(page.trailingZeroBitCount))
        // Three of ten go to others.
        if generator.next() % 10 < 7 {
          keys.append(1 << (52 - order) | (stretch * 512 + page) >> order)
        }
        page += 1 << order
      }
    }
    return keys
  }()
}

/// SplitMix64: the same keys in every run.
package struct KeyGenerator: RandomNumberGenerator {
  private var state: UInt64
  package init(seed: UInt64) { state = seed }
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension Array {
  package func inDisorder(seed: UInt64) -> Self {
    var generator = KeyGenerator(seed: seed)
    return shuffled(using: &generator)
  }
}
