internal import MemoryAccess

/// The header of a zstd frame. Source: RFC 8878, section 3.1.1.1.
struct ZstdFrameHeader {
  static let magic: UInt32 = 0xfd2f_b528
  /// The first of 16 numbers that begin a frame of the user's own, which is passed over.
  static let skippableMagic: UInt32 = 0x184d_2a50

  /// How far a match may reach back.
  let windowByteCount: UInt64
  /// The length of the output, where the header gives it.
  let contentByteCount: UInt64?
  let hasChecksum: Bool
  /// Where the first block begins.
  let end: Int

  /// The header that begins at `start`, with its magic.
  init(_ input: RawSpan, at start: Int) throws(DecompressionError) {
    guard let descriptor = input.byte(at: start &+ 4) else { throw .inputEnds }
    guard descriptor & 8 == 0 else { throw .featureUnsupported }
    hasChecksum = descriptor & 4 != 0
    let isSingle = descriptor & 0x20 != 0
    var next = start &+ 5
    var window: UInt64 = 0
    if !isSingle {
      guard let byte = input.byte(at: next) else { throw .inputEnds }
      next &+= 1
      let base = UInt64(1) << (10 + UInt64(byte >> 3))
      window = base + base / 8 * UInt64(byte & 7)
    }
    let dictionary = try Self.number(input, &next, byteCount: [0, 1, 2, 4][Int(descriptor & 3)])
    guard dictionary == 0 else { throw .dictionaryNeeded }
    switch descriptor >> 6 {
    case 0: contentByteCount = isSingle ? try Self.number(input, &next, byteCount: 1) : nil
    case 1: contentByteCount = try Self.number(input, &next, byteCount: 2) + 256
    case 2: contentByteCount = try Self.number(input, &next, byteCount: 4)
    default: contentByteCount = try Self.number(input, &next, byteCount: 8)
    }
    windowByteCount = isSingle ? contentByteCount ?? 0 : window
    end = next
  }

  private static func number(
    _ input: RawSpan, _ next: inout Int, byteCount: Int
  ) throws(DecompressionError) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<byteCount {
      guard let byte = input.byte(at: next) else { throw .inputEnds }
      value |= UInt64(byte) &<< UInt64(8 &* index)
      next &+= 1
    }
    return value
  }
}

/// The header of a block: section 3.1.1.2.
struct ZstdBlockHeader {
  enum Kind { case raw, repeated, compressed }

  let isLast: Bool
  let kind: Kind
  /// The bytes of the block's content in the input, and what it says of its output.
  let range: Range<Int>
  let size: Int

  init(_ input: RawSpan, at start: Int) throws(DecompressionError) {
    guard let low = input.byte(at: start), let middle = input.byte(at: start &+ 1),
      let high = input.byte(at: start &+ 2)
    else { throw .inputEnds }
    isLast = low & 1 == 1
    size = Int(high) << 13 | Int(middle) << 5 | Int(low >> 3)
    switch low >> 1 & 3 {
    case 0: kind = .raw
    case 1: kind = .repeated
    case 2: kind = .compressed
    default: throw .blockTypeWrong
    }
    guard size <= ZstdBlockDecoder.largestByteCount else { throw .lengthWrong }
    range = start &+ 3..<start &+ 3 &+ (kind == .repeated ? 1 : size)
    guard range.upperBound <= input.byteCount else { throw .inputEnds }
  }
}
