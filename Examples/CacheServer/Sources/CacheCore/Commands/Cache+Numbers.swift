internal import RESP

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension Cache {
  /// `INCR key` and its relatives.
  mutating func increment(
    _ key: RawSpan, by amount: Int64, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let found = try withValue(of: key) { value, deadline in
      (number: Int64(decimal: value), deadline: deadline)
    }
    var old: Int64 = 0
    if let found {
      guard let number = found.number else { throw .notInteger }
      old = number
    }
    let (new, overflow) = old.addingReportingOverflow(amount)
    guard !overflow else { throw .overflow }
    try store(DecimalDigits(new), at: key, deadline: found?.deadline ?? 0)
    reply.integer(new)
  }

  private mutating func store(
    _ digits: DecimalDigits, at key: RawSpan, deadline: UInt64
  ) throws(CommandError) {
    try store(digits.bytes, at: key, deadline: deadline)
  }

  /// `DECRBY key amount`.
  mutating func decrement(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let amount = try integer(request[2])
    guard amount != .min else { throw .sentence("ERR decrement would overflow") }
    try increment(request[1], by: -amount, &reply)
  }

  /// `INCRBYFLOAT key amount`.
  mutating func incrementFloat(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let key = request[1]
    let found = try withValue(of: key) { value, deadline in (value.array, deadline) }
    var old: LongDouble = 0
    if let found {
      guard let number = LongDouble(text: found.0) else {
        throw .sentence("ERR value is not a valid float")
      }
      old = number
    }
    guard let amount = LongDouble(text: request[2].array) else {
      throw .sentence("ERR value is not a valid float")
    }
    let sum = old + amount
    guard sum.isFinite else {
      throw .sentence("ERR increment would produce NaN or Infinity")
    }
    let text = sum.shortText
    try store(text.rawSpan, at: key, deadline: found?.1 ?? 0)
    reply.bulk(text.rawSpan)
  }
}

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

#if arch(x86_64) || arch(i386)
  /// What C calls long double, in which Redis adds.
  typealias LongDouble = Float80
#else
  /// Where C's long double has no counterpart.
  typealias LongDouble = Double
#endif

extension LongDouble {
  /// The number that `text` spells, as strtold(3) reads it: all of it, no white space before it, not
  /// infinite.
  init?(text: [UInt8]) {
    guard let first = text.first, !(first == 0x20 || (0x09...0x0d).contains(first)),
      !text.contains(0), text.count <= 255
    else { return nil }
    let string = text.map { CChar(bitPattern: $0) } + [0]
    let parsed: LongDouble? = unsafe string.withUnsafeBufferPointer { start in
      var end: UnsafeMutablePointer<CChar>? = nil
      // SAFETY: the string ends with a zero byte, and outlives the call.
      #if arch(x86_64) || arch(i386)
        let value = unsafe strtold(start.baseAddress!, &end)
      #else
        let value = unsafe strtod(start.baseAddress!, &end)
      #endif
      let isWhole = unsafe end.map { unsafe UnsafePointer($0) } == start.baseAddress! + text.count
      return isWhole ? value : nil
    }
    guard let parsed, !parsed.isNaN else { return nil }
    self = parsed
  }

  /// The number with up to 17 digits behind the point, and no zeros at the end.
  var shortText: [UInt8] {
    var buffer = [CChar](repeating: 0, count: 5 * 1024)
    #if arch(x86_64) || arch(i386)
      let format = "%.17Lf"
    #else
      let format = "%.17f"
    #endif
    // SAFETY: the longest number has 4,933 digits before the point.
    let count = unsafe withVaList([self]) {
      unsafe vsnprintf(&buffer, buffer.count, format, $0)
    }
    var text = buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }
    while text.last == UInt8(ascii: "0") { text.removeLast() }
    if text.last == UInt8(ascii: ".") { text.removeLast() }
    return text == Array("-0".utf8) ? Array("0".utf8) : text
  }
}
