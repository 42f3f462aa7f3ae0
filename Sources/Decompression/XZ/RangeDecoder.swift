internal import MemoryAccess

/// The range coder of LZMA: bits with adaptive probabilities.
///
/// Source: LZMA specification (Igor Pavlov, public domain), "Range Decoder".
struct RangeDecoder {
  private var range: UInt32 = .max
  private var code: UInt32
  /// The next byte of the input, and where the coder's bytes end.
  private(set) var next: Int
  private let end: Int

  init(_ input: RawSpan, _ bytes: Range<Int>) throws(DecompressionError) {
    guard bytes.count >= 5, let word = input.uint32(atByte: bytes.lowerBound &+ 1) else {
      throw .inputEnds
    }
    guard input.byte(at: bytes.lowerBound) == 0 else { throw .symbolWrong }
    code = UInt32(bigEndian: word)
    next = bytes.lowerBound &+ 5
    end = bytes.upperBound
  }

  /// Whether all bytes were used, and no bit is left.
  var isAtEnd: Bool { next == end && code == 0 }

  @inline(__always)
  private mutating func normalize(_ input: RawSpan) throws(DecompressionError) {
    guard range < 1 &<< 24 else { return }
    guard next < end, let byte = input.byte(at: next) else { throw .inputEnds }
    range &<<= 8
    code = code &<< 8 | UInt32(byte)
    next &+= 1
  }

  /// Shifts in the byte that the last bit of a chunk may have left to be read.
  mutating func finish(_ input: RawSpan) throws(DecompressionError) { try normalize(input) }

  /// Takes a bit whose probability is at `index`, and adapts that.
  @inline(__always)
  mutating func bit(
    _ input: RawSpan, _ probabilities: borrowing LookupTable<UInt16>, _ index: Int
  ) throws(DecompressionError) -> Int {
    try normalize(input)
    let probability = probabilities[index]
    let bound = (range &>> 11) &* UInt32(probability)
    if code < bound {
      range = bound
      probabilities[index] = probability &+ (2048 &- probability) &>> 5
      return 0
    }
    range &-= bound
    code &-= bound
    probabilities[index] = probability &- probability &>> 5
    return 1
  }

  /// Takes `count` bits that are as likely 0 as 1.
  mutating func directBits(_ input: RawSpan, _ count: Int) throws(DecompressionError) -> Int {
    var bits = 0
    for _ in 0..<count {
      try normalize(input)
      range &>>= 1
      let isSet = code >= range
      if isSet { code &-= range }
      bits = bits &<< 1 | (isSet ? 1 : 0)
    }
    return bits
  }

  /// Takes `bitCount` bits, the highest first, each with a probability that depends on those before.
  @inline(__always)
  mutating func tree(
    _ input: RawSpan, _ probabilities: borrowing LookupTable<UInt16>, _ start: Int, bitCount: Int
  ) throws(DecompressionError) -> Int {
    var node = 1
    for _ in 0..<bitCount {
      node = node &<< 1 | (try bit(input, probabilities, start &+ node))
    }
    return node &- 1 &<< bitCount
  }

  /// The same, the lowest bit first.
  mutating func reverseTree(
    _ input: RawSpan, _ probabilities: borrowing LookupTable<UInt16>, _ start: Int, bitCount: Int
  ) throws(DecompressionError) -> Int {
    var node = 1
    var value = 0
    for index in 0..<bitCount {
      let bit = try bit(input, probabilities, start &+ node)
      node = node &<< 1 | bit
      value |= bit &<< index
    }
    return value
  }
}
