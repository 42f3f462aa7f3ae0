internal import MemoryAccess

/// One run over a zlib stream.
struct Inflater {
  private(set) var output: [UInt8]
  /// How many bytes of ``output`` are there.
  private(set) var outputCount = 0
  /// Whether output beyond what was asked for ends the run instead of being an error.
  var endsWhenFull = false
  private var bits: BitBuffer

  init(_ input: RawSpan, byteCount: Int) throws(ZlibError) {
    output = [UInt8](repeating: 0, count: byteCount)
    bits = BitBuffer(startingAt: 2)
    guard let first = input.byte(at: 0), let second = input.byte(at: 1) else { throw .inputEnds }
    let header = UInt16(first) << 8 | UInt16(second)
    // Method 8 with a window of at most 32 KiB, and a check over both bytes.
    guard first & 15 == 8, first >> 4 <= 7, header % 31 == 0 else { throw .headerWrong(header) }
    guard second & 0x20 == 0 else { throw .dictionaryNeeded }
  }

  /// Undoes block after block, to the last.
  mutating func run(_ input: RawSpan) throws(ZlibError) {
    var isLast = false
    while !isLast {
      if isDone { return }
      bits.refill(from: input)
      isLast = try bits.take(1) == 1
      switch try bits.take(2) {
      case 0: try copyStored(input)
      case 1:
        try decode(input, DeflateAlphabet.fixedLiterals, DeflateAlphabet.fixedDistances)
      case 2:
        let (literals, distances) = try codes(input)
        try decode(input, literals, distances)
      default: throw .blockTypeWrong
      }
    }
  }

  private var isDone: Bool { endsWhenFull && outputCount == output.count }

  /// Compares the checksum behind the stream, Adler-32, with that of the output.
  mutating func check(_ input: RawSpan) throws(ZlibError) {
    bits.alignToByte()
    guard let word = input.halfWord(atByte: bits.next) else { throw .inputEnds }
    var low: UInt32 = 1
    var high: UInt32 = 0
    // 3,800 bytes at once: sums of more could run past 32 bits.
    var start = 0
    while start < outputCount {
      let end = min(start &+ 3_800, outputCount)
      for index in start..<end {
        low &+= UInt32(output[index])
        high &+= low
      }
      low %= 65_521
      high %= 65_521
      start = end
    }
    guard UInt32(bigEndian: word) == high &<< 16 | low else { throw .checksumWrong }
  }

  /// A block of bytes as they are: RFC 1951, section 3.2.4.
  private mutating func copyStored(_ input: RawSpan) throws(ZlibError) {
    bits.alignToByte()
    guard let lengths = input.halfWord(atByte: bits.next) else { throw .inputEnds }
    let length = UInt32(littleEndian: lengths)
    guard length & 0xffff == ~length >> 16 else { throw .storedLengthWrong }
    let start = bits.next &+ 4
    let byteCount = Int(length & 0xffff)
    guard byteCount <= input.byteCount &- start else { throw .inputEnds }
    let room = output.count &- outputCount
    guard byteCount <= room || endsWhenFull else {
      throw .outputTooLong(expectedByteCount: output.count)
    }
    for index in 0..<min(byteCount, room) {
      output[outputCount &+ index] = input.byte(at: start &+ index) ?? 0
    }
    outputCount &+= min(byteCount, room)
    bits.skip(to: start &+ byteCount)
  }

  /// The codes at the start of a block of type 2: RFC 1951, section 3.2.7.
  private mutating func codes(
    _ input: RawSpan
  ) throws(ZlibError) -> (literals: PrefixCode, distances: PrefixCode) {
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
    _ input: RawSpan, _ literals: PrefixCode, _ distances: PrefixCode
  ) throws(ZlibError) {
    while true {
      // At most 48 bits: two words of 15, 5 bits more for a length, 13 for a distance.
      bits.refill(from: input)
      let symbol = try literals.symbol(&bits)
      if symbol < DeflateAlphabet.endOfBlock {
        guard outputCount < output.count else {
          if endsWhenFull { return }
          throw .outputTooLong(expectedByteCount: output.count)
        }
        output[outputCount] = UInt8(truncatingIfNeeded: symbol)
        outputCount &+= 1
        continue
      }
      if symbol == DeflateAlphabet.endOfBlock { return }
      let lengthIndex = symbol &- 257
      guard lengthIndex < DeflateAlphabet.lengths.count else { throw .symbolWrong }
      let length = DeflateAlphabet.lengths[lengthIndex]
      let byteCount = Int(length.base) &+ (try bits.take(Int(length.extraBitCount)))
      let distanceIndex = try distances.symbol(&bits)
      guard distanceIndex < DeflateAlphabet.distances.count else { throw .symbolWrong }
      let distance = DeflateAlphabet.distances[distanceIndex]
      try copyMatch(
        byteCount, from: Int(distance.base) &+ (try bits.take(Int(distance.extraBitCount))))
      if isDone { return }
    }
  }

  private mutating func copyMatch(_ byteCount: Int, from distance: Int) throws(ZlibError) {
    guard distance <= outputCount else { throw .distanceTooFar(distance) }
    let room = output.count &- outputCount
    guard byteCount <= room || endsWhenFull else {
      throw .outputTooLong(expectedByteCount: output.count)
    }
    // Byte by byte: a match may reach into its own output.
    for place in outputCount..<outputCount &+ min(byteCount, room) {
      output[place] = output[place &- distance]
    }
    outputCount &+= min(byteCount, room)
  }
}
