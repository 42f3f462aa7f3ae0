internal import MemoryAccess

/// A prefix code of literals. Source: RFC 8878, section 4.2.
final class HuffmanTable {
  /// The longest word, in bits.
  static let longest = 11

  private struct Entry: BitwiseCopyable {
    var symbol: UInt8
    var bitCount: UInt8
  }

  /// For the next ``wordBitCount`` bits: the symbol, and how many of them are its word.
  private let entries: LookupTable<Entry>
  private let wordBitCount: Int

  /// The code of `weights`: a symbol of weight w > 0 takes 2^(w - 1) of the entries. The last symbol's
  /// weight is not in the list: it takes what is left.
  private init(_ weights: [UInt8]) throws(DecompressionError) {
    // Of each weight from 0 to `longest`, and one place more: `longest` + 2.
    var counts = InlineArray<13, Int>(repeating: 0)
    var sum = 0
    for weight in weights {
      guard weight <= Self.longest else { throw .codeLengthsWrong }
      counts[Int(weight)] &+= 1
      if weight > 0 { sum &+= 1 &<< (Int(weight) &- 1) }
    }
    guard sum > 0 else { throw .codeLengthsWrong }
    wordBitCount = Int.bitWidth &- sum.leadingZeroBitCount
    guard wordBitCount <= Self.longest, weights.count < 256 else { throw .codeLengthsWrong }
    let left = 1 &<< wordBitCount &- sum
    guard left & (left &- 1) == 0 else { throw .codeLengthsWrong }
    let lastWeight = left.trailingZeroBitCount &+ 1
    counts[lastWeight] &+= 1

    entries = LookupTable(shift: wordBitCount, repeating: Entry(symbol: 0, bitCount: 0))
    // The longest words come first.
    var starts = InlineArray<13, Int>(repeating: 0)
    for weight in 1...Self.longest {
      starts[weight &+ 1] = starts[weight] &+ counts[weight] &<< (weight &- 1)
    }
    for symbol in 0...weights.count {
      let weight = symbol < weights.count ? Int(weights[symbol]) : lastWeight
      guard weight > 0 else { continue }
      let entry = Entry(
        symbol: UInt8(truncatingIfNeeded: symbol),
        bitCount: UInt8(truncatingIfNeeded: wordBitCount &+ 1 &- weight))
      let start = starts[weight]
      let count = 1 &<< (weight &- 1)
      for index in start..<start &+ count { entries[index] = entry }
      starts[weight] = start &+ count
    }
  }

  /// Reads the description at the start of `range`; gives the code, and where the description ends.
  static func read(
    _ input: RawSpan, _ range: Range<Int>
  ) throws(DecompressionError) -> (table: HuffmanTable, end: Int) {
    guard !range.isEmpty, let header = input.byte(at: range.lowerBound) else { throw .inputEnds }
    let start = range.lowerBound &+ 1
    if header >= 128 {
      let count = Int(header) &- 127
      let end = start &+ (count &+ 1) / 2
      guard end <= range.upperBound else { throw .inputEnds }
      let weights = (0..<count).map { index in
        let pair = input.byte(at: start &+ index / 2) ?? 0
        return index & 1 == 0 ? pair >> 4 : pair & 15
      }
      return (try HuffmanTable(weights), end)
    }
    let end = start &+ Int(header)
    guard end <= range.upperBound else { throw .inputEnds }
    return (try HuffmanTable(compressedWeights(input, start..<end)), end)
  }

  /// Weights in two states of one code that take turns.
  private static func compressedWeights(
    _ input: RawSpan, _ range: Range<Int>
  ) throws(DecompressionError) -> [UInt8] {
    let (table, start) = try FSETable.read(
      input, range, largestSymbol: 255, largestAccuracyLog: 6)
    guard start < range.upperBound else { throw .inputEnds }
    var bits = try ReverseBits(input, start..<range.upperBound)
    var state = bits.take(table.accuracyLog, of: input)
    var other = bits.take(table.accuracyLog, of: input)
    guard bits.left >= 0 else { throw .inputEnds }
    var weights: [UInt8] = []
    weights.reserveCapacity(256)
    while weights.count < 255 {
      let current = table.states[state]
      weights.append(current.symbol)
      if bits.left < Int(current.bitCount) {
        weights.append(table.states[other].symbol)
        guard weights.count <= 255 else { throw .codeLengthsWrong }
        return weights
      }
      let next = Int(current.base) &+ bits.take(Int(current.bitCount), of: input)
      state = other
      other = next
    }
    throw .codeLengthsWrong
  }

  /// Decodes as many literals as `output` has room for from one stream, the whole of `range`.
  func decode(
    _ input: RawSpan, _ range: Range<Int>, into output: inout MutableSpan<UInt8>
  ) throws(DecompressionError) {
    var bits = try ReverseBits(input, range)
    try finish(&bits, input, &output, from: 0, to: output.count)
  }

  /// Decodes literals from four streams: each gives a quarter of `output`, rounded up, and the last one
  /// what is left.
  func decodeFour(
    _ input: RawSpan, _ range: Range<Int>, into output: inout MutableSpan<UInt8>
  ) throws(DecompressionError) {
    guard range.count > 6, let sizes = input.word(atByte: range.lowerBound) else {
      throw .inputEnds
    }
    let word = UInt64(littleEndian: sizes)
    let first = range.lowerBound &+ 6
    let second = first &+ Int(word & 0xffff)
    let third = second &+ Int(word &>> 16 & 0xffff)
    let fourth = third &+ Int(word &>> 32 & 0xffff)
    guard fourth < range.upperBound else { throw .inputEnds }
    let quarter = (output.count &+ 3) / 4
    let last = output.count &- 3 &* quarter
    guard last >= 0 else { throw .lengthWrong }
    var bits1 = try ReverseBits(input, first..<second)
    var bits2 = try ReverseBits(input, second..<third)
    var bits3 = try ReverseBits(input, third..<fourth)
    var bits4 = try ReverseBits(input, fourth..<range.upperBound)
    // Five words of at most 11 bits are in the 57 that are read at once.
    var place = 0
    while place &+ 5 <= last, min(bits1.left, bits2.left, bits3.left, bits4.left) >= 55 {
      decodeFive(&bits1, input, &output, at: place)
      decodeFive(&bits2, input, &output, at: place &+ quarter)
      decodeFive(&bits3, input, &output, at: place &+ 2 &* quarter)
      decodeFive(&bits4, input, &output, at: place &+ 3 &* quarter)
      place &+= 5
    }
    try finish(&bits1, input, &output, from: place, to: quarter)
    try finish(&bits2, input, &output, from: place &+ quarter, to: 2 &* quarter)
    try finish(&bits3, input, &output, from: place &+ 2 &* quarter, to: 3 &* quarter)
    try finish(&bits4, input, &output, from: place &+ 3 &* quarter, to: output.count)
  }

  @inline(__always)
  private func decodeFive(
    _ bits: inout ReverseBits, _ input: RawSpan, _ output: inout MutableSpan<UInt8>, at place: Int
  ) {
    var next = bits.next(of: input)
    let shift = UInt64(64 &- wordBitCount)
    var used = 0
    for index in 0..<5 {
      let entry = entries[Int(truncatingIfNeeded: next &>> shift)]
      output[place &+ index] = entry.symbol
      next &<<= UInt64(entry.bitCount)
      used &+= Int(entry.bitCount)
    }
    bits.drop(used)
  }

  private func finish(
    _ bits: inout ReverseBits, _ input: RawSpan, _ output: inout MutableSpan<UInt8>,
    from start: Int, to end: Int
  ) throws(DecompressionError) {
    var place = start
    while place &+ 5 <= end, bits.left >= 55 {
      decodeFive(&bits, input, &output, at: place)
      place &+= 5
    }
    let shift = UInt64(64 &- wordBitCount)
    while place < end {
      let entry = entries[Int(truncatingIfNeeded: bits.next(of: input) &>> shift)]
      output[place] = entry.symbol
      bits.drop(Int(entry.bitCount))
      place &+= 1
    }
    guard bits.left == 0 else { throw .bitsLeft }
  }
}
