internal import MemoryAccess

/// The LZMA decoder's memory between the chunks of an LZMA2 stream.
///
/// Source: LZMA specification (Igor Pavlov, public domain).
struct LZMADecoder: ~Copyable {
  /// Where in the table of probabilities each kind begins.
  private enum Place {
    static let isMatch = 0  // 12 states × 16 positions
    static let isRepeat = 192
    static let isRepeat0 = 204
    static let isRepeat1 = 216
    static let isRepeat2 = 228
    static let isLongRepeat0 = 240  // 12 states × 16 positions
    static let slots = 432  // 4 lengths × 64
    static let distances = 688  // 115
    static let align = 803  // 16
    static let lengths = 819  // 2 + 16 × 8 + 16 × 8 + 256
    static let repeatLengths = 1333
    static let literals = 1847  // 0x300 << (lc + lp), with lc + lp ≤ 4
  }

  private let probabilities = LookupTable<UInt16>(shift: 14, repeating: 1024)
  private var state = 0
  private var repeats = (0, 0, 0, 0)
  private var literalContextBits = 0
  private var literalPositionMask = 0
  private var positionMask = 0

  /// Takes over the properties lc, lp and pb.
  mutating func setProperties(_ byte: UInt8) throws(DecompressionError) {
    guard byte < 225 else { throw .lengthWrong }
    let contextBits = Int(byte) % 9
    let positionBits = Int(byte) / 9 % 5
    guard contextBits &+ positionBits <= 4 else { throw .lengthWrong }
    literalContextBits = contextBits
    literalPositionMask = 1 &<< positionBits &- 1
    positionMask = 1 &<< (Int(byte) / 45) &- 1
  }

  mutating func resetState() {
    for index in 0..<1 << 14 { probabilities[index] = 1024 }
    state = 0
    repeats = (0, 0, 0, 0)
  }

  /// Decodes a chunk that gives `byteCount` bytes; `start` is how much output came before its dictionary.
  mutating func decode(
    _ input: RawSpan, _ range: Range<Int>, byteCount: Int, dictionaryStart start: Int,
    into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var coder = try RangeDecoder(input, range)
    let end = output.totalCount &+ byteCount
    while output.totalCount < end {
      let written = output.totalCount &- start
      let position = written & positionMask
      guard try coder.bit(input, probabilities, Place.isMatch &+ state &* 16 &+ position) == 1
      else {
        try decodeLiteral(input, &coder, written: written, into: &output)
        continue
      }
      let length: Int
      if try coder.bit(input, probabilities, Place.isRepeat &+ state) == 0 {
        length = try decodeLength(input, &coder, Place.lengths, position)
        let distance = try decodeDistance(input, &coder, length: length)
        repeats = (distance, repeats.0, repeats.1, repeats.2)
        state = state < 7 ? 7 : 10
      } else {
        guard written > 0 else { throw .distanceTooFar(1) }
        if try coder.bit(input, probabilities, Place.isRepeat0 &+ state) == 0 {
          let index = Place.isLongRepeat0 &+ state &* 16 &+ position
          if try coder.bit(input, probabilities, index) == 0 {
            state = state < 7 ? 9 : 11
            guard repeats.0 < written else { throw .distanceTooFar(repeats.0 &+ 1) }
            try output.copyMatch(distance: repeats.0 &+ 1, byteCount: 1)
            continue
          }
        } else {
          try chooseRepeat(input, &coder)
        }
        length = try decodeLength(input, &coder, Place.repeatLengths, position)
        state = state < 7 ? 8 : 11
      }
      guard repeats.0 < written else { throw .distanceTooFar(repeats.0 &+ 1) }
      guard length <= end &- output.totalCount else { throw .lengthWrong }
      try output.copyMatch(distance: repeats.0 &+ 1, byteCount: length)
    }
    try coder.finish(input)
    guard coder.isAtEnd else { throw .bitsLeft }
  }

  private mutating func chooseRepeat(
    _ input: RawSpan, _ coder: inout RangeDecoder
  ) throws(DecompressionError) {
    if try coder.bit(input, probabilities, Place.isRepeat1 &+ state) == 0 {
      repeats = (repeats.1, repeats.0, repeats.2, repeats.3)
    } else if try coder.bit(input, probabilities, Place.isRepeat2 &+ state) == 0 {
      repeats = (repeats.2, repeats.0, repeats.1, repeats.3)
    } else {
      repeats = (repeats.3, repeats.0, repeats.1, repeats.2)
    }
  }

  private mutating func decodeLiteral(
    _ input: RawSpan, _ coder: inout RangeDecoder, written: Int, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    let previous = written > 0 ? Int(output.byte(atDistance: 1)) : 0
    let context =
      (written & literalPositionMask) &<< literalContextBits
      &+ previous &>> (8 &- literalContextBits)
    let start = Place.literals &+ 0x300 &* context
    var symbol = 1
    if state >= 7 {
      guard repeats.0 < written else { throw .distanceTooFar(repeats.0 &+ 1) }
      var matched = Int(output.byte(atDistance: repeats.0 &+ 1))
      repeat {
        let matchedBit = matched &>> 7 & 1
        matched &<<= 1
        let bit = try coder.bit(
          input, probabilities, start &+ (1 &+ matchedBit) &<< 8 &+ symbol)
        symbol = symbol &<< 1 | bit
        if bit != matchedBit { break }
      } while symbol < 0x100
    }
    while symbol < 0x100 {
      symbol = symbol &<< 1 | (try coder.bit(input, probabilities, start &+ symbol))
    }
    try output.append(UInt8(truncatingIfNeeded: symbol))
    state = state < 4 ? 0 : state < 10 ? state &- 3 : state &- 6
  }

  private func decodeLength(
    _ input: RawSpan, _ coder: inout RangeDecoder, _ start: Int, _ position: Int
  ) throws(DecompressionError) -> Int {
    if try coder.bit(input, probabilities, start) == 0 {
      return 2 &+ (try coder.tree(input, probabilities, start &+ 2 &+ position &* 8, bitCount: 3))
    }
    if try coder.bit(input, probabilities, start &+ 1) == 0 {
      return 10
        &+ (try coder.tree(input, probabilities, start &+ 130 &+ position &* 8, bitCount: 3))
    }
    return 18 &+ (try coder.tree(input, probabilities, start &+ 258, bitCount: 8))
  }

  private func decodeDistance(
    _ input: RawSpan, _ coder: inout RangeDecoder, length: Int
  ) throws(DecompressionError) -> Int {
    let slots = Place.slots &+ min(length &- 2, 3) &* 64
    let slot = try coder.tree(input, probabilities, slots, bitCount: 6)
    guard slot >= 4 else { return slot }
    let bitCount = slot &>> 1 &- 1
    let base = (2 | slot & 1) &<< bitCount
    if slot < 14 {
      return base
        &+ (try coder.reverseTree(
          input, probabilities, Place.distances &+ base &- slot, bitCount: bitCount))
    }
    let high = try coder.directBits(input, bitCount &- 4)
    return base &+ high &<< 4
      &+ (try coder.reverseTree(input, probabilities, Place.align, bitCount: 4))
  }
}
