extension Int64 {
  /// The number that `bytes` spell, as Redis takes them: an optional minus sign, no leading zeros,
  /// nothing else.
  public init?(decimal bytes: RawSpan) {
    guard bytes.byteCount > 0, bytes.byteCount <= 20 else { return nil }
    var index = 0
    let isNegative = bytes[index] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    guard index < bytes.byteCount else { return nil }
    let first = bytes[index]
    guard first != UInt8(ascii: "0") else {
      guard bytes.byteCount == 1 else { return nil }
      self = 0
      return
    }
    // Counted downwards, since the smallest number has no positive one.
    var value: Int64 = 0
    while index < bytes.byteCount {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowToo) = tens.subtractingReportingOverflow(Int64(digit))
      guard !overflow, !overflowToo else { return nil }
      value = sum
      index += 1
    }
    if !isNegative {
      guard value != .min else { return nil }
      value = -value
    }
    self = value
  }
}
