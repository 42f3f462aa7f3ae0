#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

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
