// The words of an inline request, as Redis splits them (sdssplitargs): separated by white space; in
// double quotes with \n, \r, \t, \b, \a, \xHH and any other byte escaped; in single quotes with \'.

extension RequestParser {
  /// Puts the words of `line` into ``inlineBytes``.
  ///
  /// - Returns: false where a quote is not closed, or something follows it at once.
  mutating func splitWords(of line: RawSpan) -> Bool {
    var index = 0
    while true {
      while index < line.byteCount, Self.isSpace(line[index]) { index += 1 }
      // A zero byte ends the line, as it does where strings are C's.
      guard index < line.byteCount, line[index] != 0 else { return true }
      let start = inlineBytes.count
      guard takeWord(of: line, &index) else { return false }
      addInlineWord(from: start)
    }
  }

  private mutating func takeWord(of line: RawSpan, _ index: inout Int) -> Bool {
    while index < line.byteCount {
      let byte = line[index]
      switch byte {
      case 0: return true
      case _ where Self.isSpace(byte): return true
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        index += 1
        guard takeQuoted(of: line, &index, by: byte) else { return false }
        return index == line.byteCount || Self.isSpace(line[index]) || line[index] == 0
      default:
        inlineBytes.append(byte)
        index += 1
      }
    }
    return true
  }

  private mutating func takeQuoted(
    of line: RawSpan, _ index: inout Int, by quote: UInt8
  ) -> Bool {
    while index < line.byteCount, line[index] != 0 {
      let byte = line[index]
      index += 1
      if byte == quote { return true }
      guard byte == UInt8(ascii: "\\"), index < line.byteCount, line[index] != 0 else {
        inlineBytes.append(byte)
        continue
      }
      if quote == UInt8(ascii: "\"") {
        takeEscaped(of: line, &index)
      } else if line[index] == quote {
        inlineBytes.append(quote)
        index += 1
      } else {
        inlineBytes.append(byte)
      }
    }
    return false
  }

  private mutating func takeEscaped(of line: RawSpan, _ index: inout Int) {
    let byte = line[index]
    if byte == UInt8(ascii: "x"), index + 2 < line.byteCount,
      let high = Self.hexDigit(line[index + 1]), let low = Self.hexDigit(line[index + 2])
    {
      inlineBytes.append(high << 4 | low)
      index += 3
      return
    }
    index += 1
    switch byte {
    case UInt8(ascii: "n"): inlineBytes.append(0x0a)
    case UInt8(ascii: "r"): inlineBytes.append(0x0d)
    case UInt8(ascii: "t"): inlineBytes.append(0x09)
    case UInt8(ascii: "b"): inlineBytes.append(0x08)
    case UInt8(ascii: "a"): inlineBytes.append(0x07)
    default: inlineBytes.append(byte)
    }
  }

  /// isspace(3).
  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
