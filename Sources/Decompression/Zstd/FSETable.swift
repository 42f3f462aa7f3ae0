internal import MemoryAccess

/// A state of a finite state entropy code: the symbol that it represents, and how the next follows.
struct FSEState: BitwiseCopyable {
  var base: UInt16 = 0
  var symbol: UInt8 = 0
  var bitCount: UInt8 = 0
}

/// The states of a finite state entropy code. Source: RFC 8878, section 4.1.
///
/// `@unchecked Sendable`: the states are written by `init` alone.
final class FSETable: @unchecked Sendable {
  let accuracyLog: Int
  let states: LookupTable<FSEState>

  /// The code of one symbol, which takes no bits.
  init(only symbol: UInt8) {
    accuracyLog = 0
    states = LookupTable(shift: 0, repeating: FSEState(symbol: symbol))
  }

  /// The code of `shares`, a share of the 2^`accuracyLog` states for each symbol; -1 is a share of less
  /// than one state, which takes one.
  ///
  /// - Precondition: the shares make up all states, and there are at most 256.
  init(_ shares: [Int16], accuracyLog: Int) {
    self.accuracyLog = accuracyLog
    let count = 1 &<< accuracyLog
    states = LookupTable(shift: accuracyLog, repeating: FSEState())
    // On the stack: a block of a page has three codes, and each takes longer to build than to use.
    var next = InlineArray<256, Int>(repeating: 0)
    var end = count
    for symbol in shares.indices where shares[symbol] == -1 {
      end &-= 1
      states[end].symbol = UInt8(truncatingIfNeeded: symbol)
      next[symbol] = 1
    }
    let step = count &>> 1 &+ count &>> 3 &+ 3
    var place = 0
    for symbol in shares.indices where shares[symbol] > 0 {
      next[symbol] = Int(shares[symbol])
      for _ in 0..<shares[symbol] {
        states[place].symbol = UInt8(truncatingIfNeeded: symbol)
        repeat { place = (place &+ step) & (count &- 1) } while place >= end
      }
    }
    for index in 0..<count {
      let symbol = Int(states[index].symbol)
      let number = next[symbol]
      next[symbol] = number &+ 1
      let bitCount = accuracyLog &- (Int.bitWidth &- 1 &- number.leadingZeroBitCount)
      states[index].bitCount = UInt8(truncatingIfNeeded: bitCount)
      states[index].base = UInt16(truncatingIfNeeded: number &<< bitCount &- count)
    }
  }

  /// Reads the description of a code at the start of `range`; gives it, and where the description ends.
  ///
  /// - Parameters:
  ///   - largestSymbol: the last symbol that may occur.
  ///   - largestAccuracyLog: the largest size of the table, as log2.
  static func read(
    _ input: RawSpan, _ range: Range<Int>, largestSymbol: Int, largestAccuracyLog: Int
  ) throws(DecompressionError) -> (table: FSETable, end: Int) {
    var bits = ForwardBits(input, range)
    let accuracyLog = bits.take(4, of: input) &+ 5
    guard accuracyLog <= largestAccuracyLog else { throw .codeLengthsWrong }
    var shares: [Int16] = []
    shares.reserveCapacity(largestSymbol &+ 1)
    var left = 1 &<< accuracyLog
    while left > 0 {
      guard shares.count <= largestSymbol, bits.isInside else { throw .codeLengthsWrong }
      // Values up to left + 1; the lower ones take a bit less.
      let bitCount = Int.bitWidth &- (left &+ 1).leadingZeroBitCount
      var value = bits.peek(bitCount, of: input)
      let lowMask = 1 &<< (bitCount &- 1) &- 1
      let shortCount = 1 &<< bitCount &- 1 &- (left &+ 1)
      if value & lowMask < shortCount {
        bits.drop(bitCount &- 1)
        value &= lowMask
      } else {
        bits.drop(bitCount)
        if value > lowMask { value &-= shortCount }
      }
      let share = value &- 1
      left &-= share < 0 ? 1 : share
      guard left >= 0 else { throw .codeLengthsWrong }
      shares.append(Int16(truncatingIfNeeded: share))
      guard share == 0 else { continue }
      var count = 3
      while count == 3 {
        count = bits.take(2, of: input)
        guard shares.count &+ count <= largestSymbol &+ 1 else { throw .codeLengthsWrong }
        shares += repeatElement(0, count: count)
      }
    }
    guard bits.isInside else { throw .inputEnds }
    return (FSETable(shares, accuracyLog: accuracyLog), bits.endOfByte)
  }
}

/// Bits from the start of a range of the input on, the first in bit 0; those behind it are 0.
private struct ForwardBits {
  private let range: Range<Int>
  private var used = 0

  init(_ input: RawSpan, _ range: Range<Int>) { self.range = range }

  /// At most 24 bits.
  func peek(_ count: Int, of input: RawSpan) -> Int {
    let first = range.lowerBound &+ used &>> 3
    var bits = 0
    if first &+ 4 <= range.upperBound, let word = input.uint32(atByte: first) {
      bits = Int(UInt32(littleEndian: word))
    } else {
      for place in 0..<4 where first &+ place < range.upperBound {
        bits |= Int(input.byte(at: first &+ place) ?? 0) &<< (place &* 8)
      }
    }
    return bits &>> (used & 7) & (1 &<< count &- 1)
  }

  mutating func drop(_ count: Int) { used &+= count }

  mutating func take(_ count: Int, of input: RawSpan) -> Int {
    let bits = peek(count, of: input)
    used &+= count
    return bits
  }

  var isInside: Bool { used <= range.count &* 8 }

  /// Where the byte ends that the last bit is in.
  var endOfByte: Int { range.lowerBound &+ (used &+ 7) &>> 3 }
}
