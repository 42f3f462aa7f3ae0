/// SplitMix64: the same numbers for the same seed, on every machine.
package struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mixed(state)
  }

  /// The bits of `value`, well stirred.
  package static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// True once in `count` times.
  package mutating func isOne(in count: UInt64) -> Bool { next() % count == 0 }

  /// A number from 1 to `limit`; one with half the digits is as likely as one with all of them.
  package mutating func size(upTo limit: UInt64) -> UInt64 {
    let bitCount = UInt64(64 - limit.leadingZeroBitCount)
    let mask = (1 as UInt64) &<< (next() % bitCount &+ 1) &- 1
    return min(next() & mask, limit &- 1) &+ 1
  }
}
