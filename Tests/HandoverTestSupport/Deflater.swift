/// Makes zlib streams, of every type of block: RFC 1950, RFC 1951.
///
/// Written for variety, not for size: the codes of dynamic blocks are chosen at random.
package struct Deflater {
  package enum Block: CaseIterable, Sendable {
    case stored, fixed, dynamic
  }

  private var random: SeededGenerator
  private var output: [UInt8] = []
  private var bits: UInt64 = 0
  private var bitCount: UInt64 = 0

  /// A deflater whose choices are those of `seed`.
  package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// The zlib stream of `bytes`, in blocks of up to `largestBlock` bytes, of kinds from `kinds`.
  package mutating func stream(
    of bytes: [UInt8], in kinds: [Block] = Block.allCases, largestBlock: Int = 65_535
  ) -> [UInt8] {
    output = [0x78, 0x9c]
    bits = 0
    bitCount = 0
    var start = 0
    repeat {
      let end = min(bytes.count, start + random.index(below: largestBlock) + 1)
      put(end == bytes.count ? 1 : 0, 1)
      switch random.pick(kinds) {
      case .stored: putStored(bytes[start..<end])
      case .fixed:
        put(1, 2)
        putTokens(of: bytes, start..<end, Self.fixedLiterals, Self.fixedDistances)
      case .dynamic:
        put(2, 2)
        putDynamic(bytes, start..<end)
      }
      start = end
    } while start < bytes.count
    alignToByte()
    let sum = Self.adler32(bytes)
    for shift in [24, 16, 8, 0] as [UInt32] {
      output.append(UInt8(truncatingIfNeeded: sum >> shift))
    }
    return output
  }

  package static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in bytes {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    return high << 16 | low
  }

  private mutating func put(_ value: Int, _ count: Int) {
    bits |= UInt64(value) << bitCount
    bitCount += UInt64(count)
    while bitCount >= 8 {
      output.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
      bitCount -= 8
    }
  }

  private mutating func alignToByte() {
    if bitCount > 0 { put(0, 8 - Int(bitCount)) }
  }

  private mutating func putStored(_ bytes: ArraySlice<UInt8>) {
    put(0, 2)
    alignToByte()
    put(bytes.count, 16)
    put(~bytes.count & 0xffff, 16)
    output += bytes
  }

  // Literals and matches.

  private enum Token {
    case literal(UInt8)
    case match(byteCount: Int, distance: Int)
  }

  private mutating func tokens(of bytes: [UInt8], _ range: Range<Int>) -> [Token] {
    var tokens: [Token] = []
    var place = range.lowerBound
    while place < range.upperBound {
      if place > 0, random.isOne(in: 3) {
        let distance = min(
          place, random.pick([1, 2, 3, 8, 64, 4096, 1 + random.index(below: 32_768)]))
        var count = 0
        while count < 258, place + count < range.upperBound,
          bytes[place + count] == bytes[place + count - distance]
        {
          count += 1
        }
        if count >= 3 {
          tokens.append(.match(byteCount: count, distance: distance))
          place += count
          continue
        }
      }
      tokens.append(.literal(bytes[place]))
      place += 1
    }
    return tokens
  }

  /// Symbol, value and number of the bits behind it.
  private static func lengthSymbol(_ byteCount: Int) -> (Int, Int, Int) {
    if byteCount == 258 { return (285, 0, 0) }
    var base = 3
    for symbol in 257..<285 {
      let extra = symbol < 265 ? 0 : (symbol - 261) / 4
      if byteCount < base + 1 << extra { return (symbol, byteCount - base, extra) }
      base += 1 << extra
    }
    preconditionFailure("no such length")
  }

  private static func distanceSymbol(_ distance: Int) -> (Int, Int, Int) {
    var base = 1
    for symbol in 0..<30 {
      let extra = symbol < 4 ? 0 : symbol / 2 - 1
      if distance < base + 1 << extra { return (symbol, distance - base, extra) }
      base += 1 << extra
    }
    preconditionFailure("no such distance")
  }

  private typealias Code = [(word: Int, length: Int)]

  private mutating func put(_ symbol: Int, in code: Code) {
    let (word, length) = code[symbol]
    precondition(length > 0, "a symbol without a word")
    for bit in (0..<length).reversed() { put(word >> bit & 1, 1) }
  }

  private mutating func putTokens(
    of bytes: [UInt8], _ range: Range<Int>, _ literals: Code, _ distances: Code
  ) {
    put(tokens(of: bytes, range), literals, distances)
  }

  private mutating func put(_ tokens: [Token], _ literals: Code, _ distances: Code) {
    for token in tokens {
      switch token {
      case .literal(let byte): put(Int(byte), in: literals)
      case .match(let byteCount, let distance):
        let length = Self.lengthSymbol(byteCount)
        put(length.0, in: literals)
        put(length.1, length.2)
        let far = Self.distanceSymbol(distance)
        put(far.0, in: distances)
        put(far.1, far.2)
      }
    }
    put(256, in: literals)
  }

  private static func code(_ lengths: [Int]) -> Code {
    var code: Code = lengths.map { (0, $0) }
    var word = 0
    for length in 1...15 {
      for symbol in lengths.indices where lengths[symbol] == length {
        code[symbol].word = word
        word += 1
      }
      word <<= 1
    }
    return code
  }

  private static let fixedLiterals = code(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = code([Int](repeating: 5, count: 30))

  // Codes of their own.

  private mutating func putDynamic(_ bytes: [UInt8], _ range: Range<Int>) {
    let tokens = tokens(of: bytes, range)
    var literals: Set<Int> = [256]
    var distances: Set<Int> = []
    for token in tokens {
      switch token {
      case .literal(let byte): literals.insert(Int(byte))
      case .match(let byteCount, let distance):
        literals.insert(Self.lengthSymbol(byteCount).0)
        distances.insert(Self.distanceSymbol(distance).0)
      }
    }
    let literalLengths = lengths(of: literals, count: 257 + random.index(below: 30), longest: 15)
    let distanceLengths = lengths(of: distances, count: 1 + random.index(below: 30), longest: 15)
    put(literalLengths.count - 257, 5)
    put(distanceLengths.count - 1, 5)

    let runs = runs(of: literalLengths + distanceLengths)
    let own = code(Array(lengths(of: Set(runs.map(\.symbol)), count: 19, longest: 7)))
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    let count = max(4, (order.lastIndex { own[$0].length > 0 } ?? 0) + 1)
    put(count - 4, 4)
    for symbol in order[..<count] { put(own[symbol].length, 3) }
    for run in runs {
      put(run.symbol, in: own)
      put(run.value, run.bitCount)
    }
    put(tokens, Self.code(literalLengths), Self.code(distanceLengths))
  }

  private func code(_ lengths: [Int]) -> Code { Self.code(lengths) }

  /// Lengths of words for the symbols, chosen at random, that make a complete code; at least as many
  /// lengths as `count`.
  private mutating func lengths(of symbols: Set<Int>, count: Int, longest: Int) -> [Int] {
    var lengths = [Int](repeating: 0, count: max(count, (symbols.max() ?? 0) + 1))
    var symbols = symbols.sorted().shuffled(using: &random)
    // The code of the code must be complete; a second word makes any code so.
    while symbols.count < 2 {
      let more = random.index(below: lengths.count)
      if !symbols.contains(more) { symbols.append(more) }
      if lengths.count == 1 { break }
    }
    if symbols.count == 1 {
      lengths[symbols[0]] = 1
      return lengths
    }
    // One word is split into two until there is one for each symbol.
    var words = [1, 1]
    while words.count < symbols.count {
      let short = words.indices.filter { words[$0] < longest }
      // Long words now and then, and room for all symbols always.
      let index =
        random.isOne(in: 2) && words.count + 8 < symbols.count
        ? short.max { words[$0] < words[$1] }! : short.min { words[$0] < words[$1] }!
      words[index] += 1
      words.append(words[index])
    }
    for (symbol, length) in zip(symbols, words) { lengths[symbol] = length }
    return lengths
  }

  /// The lengths as symbols 0 to 18, with runs or without.
  private mutating func runs(of lengths: [Int]) -> [(symbol: Int, value: Int, bitCount: Int)] {
    var runs: [(symbol: Int, value: Int, bitCount: Int)] = []
    var index = 0
    while index < lengths.count {
      let length = lengths[index]
      var count = 1
      while index + count < lengths.count, lengths[index + count] == length { count += 1 }
      if length == 0, count >= 11, random.isOne(in: 2) {
        count = min(count, 138)
        runs.append((18, count - 11, 7))
      } else if length == 0, count >= 3, random.isOne(in: 2) {
        count = min(count, 10)
        runs.append((17, count - 3, 3))
      } else if index > 0, lengths[index - 1] == length, count >= 3, random.isOne(in: 2) {
        count = min(count, 6)
        runs.append((16, count - 3, 2))
      } else {
        count = 1
        runs.append((length, 0, 0))
      }
      index += count
    }
    return runs
  }
}
