/// SplitMix64: the same numbers for the same seed, on every machine.
public struct SplitMix: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Begins with `seed`.
  public init(seed: UInt64) { state = seed }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mixed(state)
  }

  /// The bits of `value`, well stirred.
  public static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number below `limit`, which is not 0.
  public mutating func number(below limit: Int) -> Int { Int(next() % UInt64(limit)) }

  /// True once in `count` times.
  public mutating func isOne(in count: Int) -> Bool { number(below: count) == 0 }

  /// One of them.
  public mutating func element<Element>(of list: [Element]) -> Element {
    list[number(below: list.count)]
  }

  /// `count` bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  /// A number from 1 to `limit`; one with half the digits is as likely as one with all of them.
  public mutating func size(upTo limit: Int) -> Int {
    let bitCount = Int.bitWidth - limit.leadingZeroBitCount
    let mask = (1 as UInt64) &<< UInt64(number(below: bitCount) + 1) &- 1
    return min(Int(next() & mask), limit - 1) + 1
  }
}
