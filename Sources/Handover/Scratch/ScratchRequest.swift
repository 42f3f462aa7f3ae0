/// How much scratch memory is asked for, as `kho_scratch=` on a kernel's command line does.
///
/// Source: `FormatScratch.md`.
public enum ScratchRequest: Hashable, Sendable {
  /// Sizes in bytes: below the low-memory limit, anywhere, and on each NUMA node.
  case sizes(low: UInt64, global: UInt64, perNode: UInt64)
  /// A percentage of what boot allocated.
  case percentage(UInt32)

  /// What Linux does without the option: 200 %.
  public static var standard: ScratchRequest { .percentage(200) }

  /// Reads the value of the option: `256M,512M,128M` or `150%`.
  ///
  /// Sizes are decimal, hexadecimal with `0x` or octal with `0`, and may end in K, M, G, T, P or E, in
  /// either case.
  ///
  /// - Throws: ``ScratchRequestError``, with the offset in UTF-8.
  public init(parsing text: String) throws(ScratchRequestError) {
    var reader = OptionReader(text)
    let first = try reader.size()
    if reader.takes("%") {
      guard reader.isAtEnd else { throw .unexpected(offset: reader.offset) }
      guard first.hasNoSuffix, let percentage = UInt32(exactly: first.value) else {
        throw .percentageImpossible
      }
      guard percentage > 0 else { throw .percentageImpossible }
      self = .percentage(percentage)
      return
    }
    guard reader.takes(",") else { throw .unexpected(offset: reader.offset) }
    let global = try reader.size()
    guard reader.takes(",") else { throw .unexpected(offset: reader.offset) }
    let perNode = try reader.size()
    guard reader.isAtEnd else { throw .unexpected(offset: reader.offset) }
    guard first.value > 0 || global.value > 0 || perNode.value > 0 else { throw .nothingAsked }
    self = .sizes(low: first.value, global: global.value, perNode: perNode.value)
  }
}

/// Why the value of `kho_scratch=` cannot be used.
@nonexhaustive
public enum ScratchRequestError: Error, Hashable, Sendable {
  /// A number is missing.
  case numberMissing(offset: Int)
  /// A number of bytes beyond 2^64 − 1.
  case numberTooLarge(offset: Int)
  /// A character that cannot be there, or the end of the text.
  case unexpected(offset: Int)
  /// A percentage of 0, of 2^32 or more, or one with a suffix.
  case percentageImpossible
  /// All sizes are 0.
  case nothingAsked
}

/// Reads numbers and separators.
private struct OptionReader {
  private let bytes: [UInt8]
  private(set) var offset = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { offset == bytes.count }

  mutating func takes(_ character: Unicode.Scalar) -> Bool {
    guard offset < bytes.count, UInt32(bytes[offset]) == character.value else { return false }
    offset &+= 1
    return true
  }

  /// A number of bytes, and whether it stood without a suffix.
  mutating func size() throws(ScratchRequestError) -> (value: UInt64, hasNoSuffix: Bool) {
    let start = offset
    let radix = takesPrefix() ? 16 : (offset < bytes.count && bytes[offset] == 0x30 ? 8 : 10)
    var value: UInt64 = 0
    let firstDigit = offset
    while offset < bytes.count, let digit = Self.digit(bytes[offset]), digit < radix {
      let (product, tooMany) = value.multipliedReportingOverflow(by: UInt64(radix))
      let (sum, overflow) = product.addingReportingOverflow(UInt64(digit))
      guard !tooMany, !overflow else { throw .numberTooLarge(offset: start) }
      value = sum
      offset &+= 1
    }
    guard offset > firstDigit else { throw .numberMissing(offset: start) }
    guard let shift = takesSuffix() else { return (value, true) }
    guard value.leadingZeroBitCount >= shift || value == 0 else {
      throw .numberTooLarge(offset: start)
    }
    return (value &<< UInt64(shift), false)
  }

  private mutating func takesPrefix() -> Bool {
    guard offset &+ 1 < bytes.count, bytes[offset] == 0x30, bytes[offset &+ 1] | 0x20 == 0x78
    else { return false }
    offset &+= 2
    return true
  }

  /// How far a suffix shifts a number; nil if none exists.
  private mutating func takesSuffix() -> Int? {
    guard offset < bytes.count else { return nil }
    var shift = 10
    for suffix in "kmgtpe".utf8 {
      if bytes[offset] | 0x20 == suffix {
        offset &+= 1
        return shift
      }
      shift &+= 10
    }
    return nil
  }

  private static func digit(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) &- 0x30
    case 0x61...0x66: Int(byte) &- 0x61 &+ 10
    case 0x41...0x46: Int(byte) &- 0x41 &+ 10
    default: nil
    }
  }
}
