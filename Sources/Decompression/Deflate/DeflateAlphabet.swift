/// The symbols of literals, lengths and distances: RFC 1951, section 3.2.5.
enum DeflateAlphabet {
  /// The symbol that ends a block.
  static let endOfBlock = 256

  /// For each symbol from 257 on: the shortest match, and how many bits are added to it.
  static let lengths: [(base: UInt16, extraBitCount: UInt8)] =
    steps(
      from: 3, plainCount: 8, each: 4, count: 28) + [(258, 0)]

  /// For each symbol: the nearest distance, and how many bits are added to it.
  static let distances = steps(from: 1, plainCount: 4, each: 2, count: 30)

  /// The order in which the lengths of the code for lengths are given.
  static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// The code of blocks of type 1: section 3.2.6.
  static let fixedLiterals = code(
    [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112)
      + [UInt8](repeating: 7, count: 24) + [UInt8](repeating: 8, count: 8), lookingUp: 9)
  static let fixedDistances = code([UInt8](repeating: 5, count: 32), lookingUp: 5)

  /// Values that grow by one for `plainCount` symbols, and then by a power of two that doubles after
  /// `each` symbols.
  private static func steps(
    from first: UInt16, plainCount: Int, each: Int, count: Int
  ) -> [(base: UInt16, extraBitCount: UInt8)] {
    var base = first
    return (0..<count).map { symbol in
      let extra = symbol < plainCount ? 0 : (symbol - plainCount) / each + 1
      defer { base &+= 1 << UInt16(extra) }
      return (base, UInt8(extra))
    }
  }

  private static func code(_ lengths: [UInt8], lookingUp shortest: Int) -> PrefixCode {
    guard let code = try? PrefixCode(lengths[...], lookingUp: shortest, allowsSingle: false) else {
      preconditionFailure("the fixed codes are codes")
    }
    return code
  }
}
