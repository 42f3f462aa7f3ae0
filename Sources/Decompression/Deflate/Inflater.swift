internal import MemoryAccess

/// One run over a DEFLATE stream.
struct Inflater {
  private var bits: BitBuffer

  /// A run over the stream that begins at `start` of the input.
  init(startingAt start: Int) { bits = BitBuffer(startingAt: start) }

  /// Where the next byte of the input is that the stream does not use.
  mutating func end() -> Int {
    bits.alignToByte()
    return bits.next
  }

  /// Decodes block after block, to the last.
  mutating func run(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var isLast = false
    while !isLast {
      bits.refill(from: input)
      isLast = try bits.take(1) == 1
      switch try bits.take(2) {
      case 0: try copyStored(input, into: &output)
      case 1:
        try decode(
          input, DeflateAlphabet.fixedLiterals, DeflateAlphabet.fixedDistances, into: &output)
      case 2:
        let (literals, distances) = try codes(input)
        try decode(input, literals, distances, into: &output)
      default: throw .blockTypeWrong
      }
    }
  }

  /// A block of bytes as they are: RFC 1951, section 3.2.4.
  private mutating func copyStored(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    bits.alignToByte()
    guard let lengths = input.uint32(atByte: bits.next) else { throw .inputEnds }
    let length = UInt32(littleEndian: lengths)
    guard length & 0xffff == ~length >> 16 else { throw .storedLengthWrong }
    let start = bits.next &+ 4
    let byteCount = Int(length & 0xffff)
    try output.append(input, from: start, byteCount: byteCount)
    bits.skip(to: start &+ byteCount)
  }

  /// The codes at the start of a block of type 2: RFC 1951, section 3.2.7.
  private mutating func codes(
    _ input: RawSpan
  ) throws(DecompressionError) -> (literals: PrefixCode, distances: PrefixCode) {
    let literalCount = try bits.take(5) &+ 257
    let distanceCount = try bits.take(5) &+ 1
    let lengthCount = try bits.take(4) &+ 4
    guard literalCount <= 286, distanceCount <= 30 else { throw .codeLengthsWrong }

    var ownLengths = [UInt8](repeating: 0, count: 19)
    for index in 0..<lengthCount {
      bits.refill(from: input)
      ownLengths[DeflateAlphabet.lengthOrder[index]] = UInt8(try bits.take(3))
    }
    let code = try PrefixCode(ownLengths[...], lookingUp: 7, allowsSingle: false)

    var lengths = [UInt8](repeating: 0, count: literalCount &+ distanceCount)
    var index = 0
    while index < lengths.count {
      bits.refill(from: input)
      let symbol = try code.symbol(&bits)
      guard symbol >= 16 else {
        lengths[index] = UInt8(symbol)
        index &+= 1
        continue
      }
      var repeated: UInt8 = 0
      if symbol == 16 {
        guard index > 0 else { throw .codeLengthsWrong }
        repeated = lengths[index &- 1]
      }
      let count =
        switch symbol {
        case 16: try bits.take(2) &+ 3
        case 17: try bits.take(3) &+ 3
        default: try bits.take(7) &+ 11
        }
      guard count <= lengths.count &- index else { throw .codeLengthsWrong }
      for place in index..<index &+ count { lengths[place] = repeated }
      index &+= count
    }
    guard lengths[DeflateAlphabet.endOfBlock] > 0 else { throw .codeLengthsWrong }
    return (
      try PrefixCode(lengths[..<literalCount], lookingUp: 9, allowsSingle: true),
      try PrefixCode(lengths[literalCount...], lookingUp: 7, allowsSingle: true)
    )
  }

  /// Literals and matches up to the end of a block: RFC 1951, section 3.2.3.
  private mutating func decode(
    _ input: RawSpan, _ literals: PrefixCode, _ distances: PrefixCode,
    into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var bits = self.bits
    while true {
      // At most 48 bits: two words of 15, 5 bits more for a length, 13 for a distance.
      bits.refill(from: input)
      var symbol = try literals.symbol(&bits)
      if symbol < DeflateAlphabet.endOfBlock {
        try output.append(UInt8(truncatingIfNeeded: symbol))
        // A second literal is likely, and its word is in the bits that are left.
        guard bits.count >= PrefixCode.longest else { continue }
        symbol = try literals.symbol(&bits)
        if symbol < DeflateAlphabet.endOfBlock {
          try output.append(UInt8(truncatingIfNeeded: symbol))
          continue
        }
        bits.refill(from: input)
      }
      if symbol == DeflateAlphabet.endOfBlock {
        self.bits = bits
        return
      }
      let lengthIndex = symbol &- 257
      guard lengthIndex < DeflateAlphabet.lengths.count else { throw .symbolWrong }
      let length = DeflateAlphabet.lengths[lengthIndex]
      let byteCount = Int(length.base) &+ (try bits.take(Int(length.extraBitCount)))
      let distanceIndex = try distances.symbol(&bits)
      guard distanceIndex < DeflateAlphabet.distances.count else { throw .symbolWrong }
      let distance = DeflateAlphabet.distances[distanceIndex]
      try output.copyMatch(
        distance: Int(distance.base) &+ (try bits.take(Int(distance.extraBitCount))),
        byteCount: byteCount)
    }
  }
}
