internal import MemoryAccess

/// Decodes the compressed blocks of one frame, and keeps what a block takes over from the one before.
///
/// ```
///  literals section: [code] literals │ sequences section: [codes] literal count, match length, offset …
/// ```
///
/// Source: RFC 8878, section 3.1.1.3.
struct ZstdBlockDecoder {
  /// The most bytes of output of a block.
  static let largestByteCount = 128 << 10

  private var huffman: HuffmanTable?
  private var literalCodes: FSETable?
  private var offsetCodes: FSETable?
  private var matchCodes: FSETable?
  /// The last three offsets, the latest first.
  private var offsets = (1, 4, 8)
  private var literals: [UInt8] = []

  /// Decodes the block of `range`; `written` bytes of its frame come before it.
  mutating func decode(
    _ input: RawSpan, _ range: Range<Int>, written: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    // Nothing is read behind the block.
    let input = input.extracting(first: range.upperBound)
    let start = try readLiterals(input, range)
    try decodeSequences(input, start..<range.upperBound, written: written, into: &output)
  }

  // Literals: section 3.1.1.3.1.

  /// Decodes the literals section; returns where it ends.
  private mutating func readLiterals(
    _ input: RawSpan, _ range: Range<Int>
  ) throws(DecompressionError) -> Int {
    guard let first = input.byte(at: range.lowerBound) else { throw .inputEnds }
    let type = first & 3
    let format = Int(first >> 2 & 3)
    // Up to five bytes, of which those that do not exist are 0.
    var header: UInt64 = 0
    for index in 0..<5 {
      header |= UInt64(input.byte(at: range.lowerBound &+ index) ?? 0) &<< UInt64(8 &* index)
    }
    if type < 2 {
      let headerByteCount = format == 1 ? 2 : format == 3 ? 3 : 1
      let count = Int(
        format & 1 == 0 ? header >> 3 & 31 : header >> 4 & (format == 1 ? 0xfff : 0xfffff))
      guard count <= Self.largestByteCount else { throw .lengthWrong }
      let start = range.lowerBound &+ headerByteCount
      guard start &+ (type == 0 ? count : 1) <= range.upperBound else { throw .inputEnds }
      literals =
        type == 0
        ? input.extracting(start..<start &+ count).copiedBytes()
        : [UInt8](repeating: input.byte(at: start) ?? 0, count: count)
      return start &+ (type == 0 ? count : 1)
    }
    let sizeBitCount = UInt64([10, 10, 14, 18][format])
    let count = Int(header >> 4 & (1 << sizeBitCount - 1))
    let compressedByteCount = Int(header >> (4 + sizeBitCount) & (1 << sizeBitCount - 1))
    var start = range.lowerBound &+ [3, 3, 4, 5][format]
    let end = start &+ compressedByteCount
    guard end <= range.upperBound else { throw .inputEnds }
    guard count <= Self.largestByteCount else { throw .lengthWrong }
    if type == 2 {
      let (table, tableEnd) = try HuffmanTable.read(input, start..<end)
      huffman = table
      start = tableEnd
    }
    guard let huffman else { throw .codeLengthsWrong }
    literals = [UInt8](repeating: 0, count: count)
    var span = literals.mutableSpan
    if format == 0 {
      try huffman.decode(input, start..<end, into: &span)
    } else {
      try huffman.decodeFour(input, start..<end, into: &span)
    }
    return end
  }

  // Sequences: section 3.1.1.3.2.

  private mutating func decodeSequences(
    _ input: RawSpan, _ range: Range<Int>, written: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    guard let first = input.byte(at: range.lowerBound) else { throw .inputEnds }
    var start = range.lowerBound &+ 1
    var count = Int(first)
    if first >= 128 {
      guard let second = input.byte(at: start), let third = input.byte(at: start &+ 1) else {
        throw .inputEnds
      }
      count =
        first == 255
        ? Int(second) &+ Int(third) << 8 &+ 0x7f00 : (Int(first) &- 128) << 8 &+ Int(second)
      start &+= first == 255 ? 2 : 1
    }
    guard count > 0 else {
      guard start == range.upperBound else { throw .bitsLeft }
      return try literals.withRawSpan { bytes throws(DecompressionError) in
        try output.append(bytes, from: 0, byteCount: bytes.byteCount)
      }
    }
    guard let modes = input.byte(at: start) else { throw .inputEnds }
    guard modes & 3 == 0 else { throw .featureUnsupported }
    start &+= 1
    let literalCodes = try codes(
      mode: modes >> 6, input, start..<range.upperBound, end: &start, SequenceCodes.defaultLiterals,
      before: self.literalCodes, SequenceCodes.largestLiteralCode, 9)
    let offsetCodes = try codes(
      mode: modes >> 4 & 3, input, start..<range.upperBound, end: &start,
      SequenceCodes.defaultOffsets, before: self.offsetCodes, SequenceCodes.largestOffsetCode, 8)
    let matchCodes = try codes(
      mode: modes >> 2 & 3, input, start..<range.upperBound, end: &start,
      SequenceCodes.defaultMatches, before: self.matchCodes, SequenceCodes.largestMatchCode, 9)
    self.literalCodes = literalCodes
    self.offsetCodes = offsetCodes
    self.matchCodes = matchCodes
    guard start < range.upperBound else { throw .inputEnds }
    let bits = try ReverseBits(input, start..<range.upperBound)
    let tables = (literalCodes, offsetCodes, matchCodes)
    var offsets = self.offsets
    try literals.withRawSpan { literals throws(DecompressionError) in
      try Self.run(
        count, input, bits, tables, literals, &offsets, written: written, into: &output)
    }
    self.offsets = offsets
  }

  /// One of the three codes of a block.
  private func codes(
    mode: UInt8, _ input: RawSpan, _ range: Range<Int>, end: inout Int, _ predefined: FSETable,
    before: FSETable?, _ largestSymbol: Int, _ largestAccuracyLog: Int
  ) throws(DecompressionError) -> FSETable {
    switch mode {
    case 0: return predefined
    case 1:
      guard let symbol = input.byte(at: range.lowerBound) else { throw .inputEnds }
      guard symbol <= largestSymbol else { throw .symbolWrong }
      end = range.lowerBound &+ 1
      return FSETable(only: symbol)
    case 2:
      guard !range.isEmpty else { throw .inputEnds }
      let (table, tableEnd) = try FSETable.read(
        input, range, largestSymbol: largestSymbol, largestAccuracyLog: largestAccuracyLog)
      end = tableEnd
      return table
    default:
      guard let before else { throw .codeLengthsWrong }
      return before
    }
  }

  private static func run(
    _ count: Int, _ input: RawSpan, _ start: ReverseBits,
    _ tables: (literals: FSETable, offsets: FSETable, matches: FSETable), _ literals: RawSpan,
    _ offsets: inout (Int, Int, Int), written: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var bits = start
    let literalValues = SequenceCodes.literalLengths
    let matchValues = SequenceCodes.matchLengths
    var literalState = bits.take(tables.literals.accuracyLog, of: input)
    var offsetState = bits.take(tables.offsets.accuracyLog, of: input)
    var matchState = bits.take(tables.matches.accuracyLog, of: input)
    var usedLiteralCount = 0
    var byteCount = 0
    for index in 0..<count {
      let literal = tables.literals.states[literalState]
      let offset = tables.offsets.states[offsetState]
      let match = tables.matches.states[matchState]
      let literalValue = literalValues.values[Int(literal.symbol)]
      let matchValue = matchValues.values[Int(match.symbol)]
      // At most 31 bits, then 16 and 16, then 9, 9 and 8: most often all are in the 57 that are read at once.
      let valueBits = Int(matchValue.bitCount) &+ Int(literalValue.bitCount)
      var next = bits.next(of: input)
      var used = Int(offset.symbol)
      let offsetValue = 1 &<< Int(offset.symbol) &+ Self.take(Int(offset.symbol), of: &next)
      if used &+ valueBits > 57 { next = bits.next(dropping: &used, of: input) }
      let both = Self.take(valueBits, of: &next)
      used &+= valueBits
      let matchLength = Int(matchValue.base) &+ both &>> Int(literalValue.bitCount)
      let literalLength =
        Int(literalValue.base) &+ both & (1 &<< Int(literalValue.bitCount) &- 1)
      if index &+ 1 < count {
        let stateBits = Int(literal.bitCount) &+ Int(match.bitCount) &+ Int(offset.bitCount)
        if used &+ stateBits > 57 { next = bits.next(dropping: &used, of: input) }
        literalState = Int(literal.base) &+ Self.take(Int(literal.bitCount), of: &next)
        matchState = Int(match.base) &+ Self.take(Int(match.bitCount), of: &next)
        offsetState = Int(offset.base) &+ Self.take(Int(offset.bitCount), of: &next)
        used &+= stateBits
      }
      bits.drop(used)

      let distance: Int
      if offsetValue > 3 {
        distance = offsetValue &- 3
        offsets = (distance, offsets.0, offsets.1)
      } else {
        switch offsetValue &+ (literalLength == 0 ? 1 : 0) {
        case 1: distance = offsets.0
        case 2:
          distance = offsets.1
          offsets = (distance, offsets.0, offsets.2)
        case 3:
          distance = offsets.2
          offsets = (distance, offsets.0, offsets.1)
        default:
          distance = offsets.0 &- 1
          offsets = (distance, offsets.0, offsets.1)
        }
      }
      byteCount &+= literalLength &+ matchLength
      guard byteCount <= largestByteCount else { throw .lengthWrong }
      guard literalLength <= literals.byteCount &- usedLiteralCount else { throw .lengthWrong }
      try output.append(literals, from: usedLiteralCount, byteCount: literalLength)
      usedLiteralCount &+= literalLength
      guard distance <= written &+ byteCount &- matchLength else { throw .distanceTooFar(distance) }
      try output.copyMatch(distance: distance, byteCount: matchLength)
    }
    guard bits.left == 0 else { throw .bitsLeft }
    let rest = literals.byteCount &- usedLiteralCount
    guard byteCount &+ rest <= largestByteCount else { throw .lengthWrong }
    try output.append(literals, from: usedLiteralCount, byteCount: rest)
  }

  /// Takes the highest `count` bits of `next`, at most 57, as a number.
  @inline(__always)
  private static func take(_ count: Int, of next: inout UInt64) -> Int {
    let value = Int(truncatingIfNeeded: (next &>> 1) &>> UInt64(63 &- count))
    next &<<= UInt64(count)
    return value
  }
}
