/// A prefix code, given by the length of each symbol's word: RFC 1951, section 3.2.2.
///
/// Words are numbered in order of length, then of symbol, so that the lengths determine
/// them. Short words are looked up by the next bits of the input; longer ones are compared with the
/// first word of each length.
struct PrefixCode {
  /// The longest word, in bits.
  static let longest = 15

  /// For each value of the next ``shortest`` bits: symbol and length (4 bits); 0 of longer words.
  private var short: [UInt16]
  /// The most bits of a word that is looked up.
  private let shortest: Int
  /// The symbols, in order of their words.
  private var symbols: [UInt16]
  /// For each length: the number of words, the first of them, and its place in ``symbols``.
  private var counts: [Int]
  private var firstWords: [Int]
  private var firstPlaces: [Int]

  /// The code of `lengths`, a length for each symbol, 0 of those that do not occur.
  ///
  /// A code must be complete, so that any bits are words of it; the code of a single word, or of none,
  /// cannot be, and is taken as well where `allowsSingle`.
  init(
    _ lengths: ArraySlice<UInt8>, lookingUp shortest: Int, allowsSingle: Bool
  ) throws(DecompressionError) {
    self.shortest = shortest
    counts = [Int](repeating: 0, count: Self.longest + 1)
    firstWords = counts
    firstPlaces = counts
    for length in lengths { counts[Int(length)] &+= 1 }
    let usedCount = lengths.count &- counts[0]
    counts[0] = 0

    var word = 0
    var place = 0
    for length in 1...Self.longest {
      word = (word &+ counts[length &- 1]) &<< 1
      firstWords[length] = word
      firstPlaces[length] = place
      place &+= counts[length]
      guard word &+ counts[length] <= 1 &<< length else { throw .codeLengthsWrong }
    }
    let isComplete = word &+ counts[Self.longest] == 1 &<< Self.longest
    let isSingle = usedCount == 0 || (usedCount == 1 && counts[1] == 1)
    guard isComplete || (allowsSingle && isSingle) else { throw .codeLengthsWrong }

    symbols = [UInt16](repeating: 0, count: usedCount)
    short = [UInt16](repeating: 0, count: 1 &<< shortest)
    var nextPlaces = firstPlaces
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      let place = nextPlaces[length]
      nextPlaces[length] = place &+ 1
      symbols[place] = UInt16(symbol)
      guard length <= shortest else { continue }
      let word = firstWords[length] &+ place &- firstPlaces[length]
      // Words come from the input with their first bit lowest.
      var bits = Int(UInt16(word).reversed &>> UInt16(16 &- length))
      while bits < short.count {
        short[bits] = UInt16(symbol &<< 4 | length)
        bits &+= 1 &<< length
      }
    }
  }

  /// Takes the next word, and gives its symbol.
  @inline(__always)
  func symbol(_ input: inout BitBuffer) throws(DecompressionError) -> Int {
    let entry = short[Int(truncatingIfNeeded: input.bits) & (short.count &- 1)]
    guard entry != 0 else { return try longSymbol(&input) }
    try input.drop(Int(entry & 15))
    return Int(entry &>> 4)
  }

  private func longSymbol(_ input: inout BitBuffer) throws(DecompressionError) -> Int {
    var word = 0
    for length in 1...Self.longest {
      word = word &<< 1 | Int(truncatingIfNeeded: (input.bits &>> UInt64(length &- 1)) & 1)
      let offset = word &- firstWords[length]
      if offset >= 0, offset < counts[length] {
        try input.drop(length)
        return Int(symbols[firstPlaces[length] &+ offset])
      }
    }
    throw input.count < Self.longest ? .inputEnds : .symbolWrong
  }
}

extension UInt16 {
  /// The bits in the opposite order.
  fileprivate var reversed: UInt16 {
    var bits = self
    bits = (bits & 0x5555) &<< 1 | (bits &>> 1) & 0x5555
    bits = (bits & 0x3333) &<< 2 | (bits &>> 2) & 0x3333
    bits = (bits & 0x0f0f) &<< 4 | (bits &>> 4) & 0x0f0f
    return bits.byteSwapped
  }
}
