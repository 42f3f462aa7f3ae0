internal import RESP

extension RawSpan {
  /// Whether the bytes are those of `word`.
  public func isExactly(_ word: StaticString) -> Bool {
    guard byteCount == word.utf8CodeUnitCount else { return false }
    // SAFETY: as many bytes as were just compared; a static string is not a single scalar here.
    let start = unsafe word.utf8Start
    for index in 0..<byteCount {
      guard unsafe self[index] == start[index] else { return false }
    }
    return true
  }
}

extension UInt64 {
  /// The number that decimal digits spell; nil for anything else, and beyond 64 bits.
  public init?(digits bytes: RawSpan) {
    guard bytes.byteCount > 0, bytes.byteCount <= 20 else { return nil }
    var value: UInt64 = 0
    for index in 0..<bytes.byteCount {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowToo) = tens.addingReportingOverflow(UInt64(digit))
      guard !overflow, !overflowToo else { return nil }
      value = sum
    }
    self = value
  }

  /// The number that a stored value spells: digits, with spaces before or behind them.
  public init?(value bytes: RawSpan) {
    var start = 0
    var end = bytes.byteCount
    while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
    while end > start, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
    self.init(digits: bytes.extracting(start..<end))
  }
}

extension Int64 {
  /// The number that digits spell, with a minus sign before them or not; nil for anything else.
  public init?(digits bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return nil }
    let isNegative = bytes[0] == UInt8(ascii: "-")
    let digits = bytes.extracting((isNegative ? 1 : 0)..<bytes.byteCount)
    guard let magnitude = UInt64(digits: digits), let value = Int64(exactly: magnitude) else {
      return nil
    }
    self = isNegative ? -value : value
  }
}

/// Base 64 of RFC 4648, as keys of meta commands have it with the flag `b`.
public enum Base64 {
  /// The bytes that `text` encodes, or `nil` if it is not base 64 with its padding.
  public static func decode(_ text: RawSpan) -> [UInt8]? {
    let count = text.byteCount
    guard count > 0, count % 4 == 0 else { return nil }
    var padding = 0
    while padding < 2, text[count - 1 - padding] == UInt8(ascii: "=") { padding += 1 }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count / 4 * 3)
    var bits: UInt32 = 0
    for index in 0..<count {
      let isPadding = index >= count - padding
      guard let value = isPadding ? 0 : value(of: text[index]) else { return nil }
      bits = bits << 6 | UInt32(value)
      guard index % 4 == 3 else { continue }
      bytes += [UInt8(bits >> 16 & 0xff), UInt8(bits >> 8 & 0xff), UInt8(bits & 0xff)]
      bits = 0
    }
    bytes.removeLast(padding)
    return bytes
  }

  private static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
