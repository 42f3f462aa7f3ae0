/// A number in decimal digits.
struct DecimalDigits {
  private var digits = InlineArray<20, UInt8>(repeating: 0)
  private var start = 20

  init(_ value: Int64) {
    var rest = value.magnitude
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
    if value < 0 {
      start -= 1
      digits[start] = UInt8(ascii: "-")
    }
  }

  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: bytes have no padding.
      unsafe digits.span.bytes.extracting(start..<20)
    }
  }
}
