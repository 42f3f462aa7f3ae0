/// The codes of lengths and offsets. Source: RFC 8878, sections 3.1.1.3.2.1 and 3.1.1.3.2.2.
enum SequenceCodes {
  /// What a code represents: the smallest value, and how many bits are added to it.
  struct Value: BitwiseCopyable {
    var base: UInt32
    var bitCount: UInt8
  }

  static let largestLiteralCode = 35
  static let largestMatchCode = 52
  static let largestOffsetCode = 31

  static let literalLengths = values(
    from: 0, single: 16,
    bitCounts: [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
  static let matchLengths = values(
    from: 3, single: 32,
    bitCounts: [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

  /// Codes: the first `single` represent one value each, and each of the others represents 2^bits values.
  private static func values(
    from first: UInt32, single: Int, bitCounts: [UInt8]
  ) -> ValueTable {
    let table = ValueTable()
    var base = first
    for (code, bitCount) in (repeatElement(0, count: single) + bitCounts).enumerated() {
      table.values[code] = Value(base: base, bitCount: bitCount)
      base &+= 1 &<< UInt32(bitCount)
    }
    return table
  }

  // The codes where a block does not describe its own.
  static let defaultLiterals = FSETable(
    [
      4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1,
      1,
      -1, -1, -1, -1,
    ], accuracyLog: 6)
  static let defaultMatches = FSETable(
    [1, 4, 3, 2, 2, 2, 2, 2, 2] + repeatElement(1, count: 37) + repeatElement(-1, count: 7),
    accuracyLog: 6)
  static let defaultOffsets = FSETable(
    [1, 1, 1, 1, 1, 1, 2, 2, 2] + repeatElement(1, count: 15) + repeatElement(-1, count: 5),
    accuracyLog: 5)
}

/// The values of all codes of a kind.
///
/// `@unchecked Sendable`: written only while it is made.
final class ValueTable: @unchecked Sendable {
  let values = LookupTable(shift: 6, repeating: SequenceCodes.Value(base: 0, bitCount: 0))
}
