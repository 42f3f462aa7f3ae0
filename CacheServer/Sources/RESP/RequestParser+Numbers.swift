extension RequestParser {
  /// A number of a header, and where what follows the header begins.
  enum HeaderNumber {
    case number(Int64, end: Int)
    case invalid
    case incomplete
  }

  /// The number that ends with a line break, from `start` on.
  @inline(__always)
  func number(in bytes: RawSpan, from start: Int) -> HeaderNumber {
    // Nearly all have one to four digits.
    var value: Int64 = 0
    var index = start
    while index < bytes.byteCount, index < start &+ 9 {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      value = value &* 10 &+ Int64(digit)
      index &+= 1
    }
    guard index > start, index &+ 1 < bytes.byteCount, bytes[index] == UInt8(ascii: "\r"),
      bytes[start] != UInt8(ascii: "0") || index == start &+ 1
    else { return unusualNumber(in: bytes, from: start) }
    return .number(value, end: index &+ 2)
  }

  private func unusualNumber(in bytes: RawSpan, from start: Int) -> HeaderNumber {
    var end = start
    while end < bytes.byteCount, bytes[end] != UInt8(ascii: "\r") { end += 1 }
    guard end + 1 < bytes.byteCount else { return .incomplete }
    guard let value = Int64(decimal: bytes.extracting(start..<end)) else { return .invalid }
    return .number(value, end: end + 2)
  }
}
