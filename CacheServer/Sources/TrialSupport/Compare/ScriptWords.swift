/// Splits a line of a ``CommandScript`` into words.
enum ScriptWords {
  /// The words; nil where a quote is not closed, or something follows it at once.
  static func split(_ line: ArraySlice<UInt8>) -> [[UInt8]]? {
    var words: [[UInt8]] = []
    var rest = line
    while true {
      rest = rest.drop { $0 == UInt8(ascii: " ") }
      guard let first = rest.first else { return words }
      if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
        rest.removeFirst()
        guard let word = takeQuoted(&rest, by: first) else { return nil }
        guard rest.isEmpty || rest.first == UInt8(ascii: " ") else { return nil }
        words.append(word)
      } else {
        let word = rest.prefix { $0 != UInt8(ascii: " ") }
        rest = rest[word.endIndex...]
        words.append(repeated(word) ?? Array(word))
      }
    }
  }

  /// `{70000*ab}`, `{all}`.
  private static func repeated(_ word: ArraySlice<UInt8>) -> [UInt8]? {
    guard word.first == UInt8(ascii: "{"), word.last == UInt8(ascii: "}") else { return nil }
    let inside = word.dropFirst().dropLast()
    if inside.elementsEqual("all".utf8) { return Array(UInt8.min...UInt8.max) }
    guard let star = inside.firstIndex(of: UInt8(ascii: "*")),
      let count = Int(String(decoding: inside[..<star], as: UTF8.self)),
      (0...1 << 30).contains(count)
    else { return nil }
    let unit = inside[(star + 1)...]
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * unit.count)
    for _ in 0..<count { bytes += unit }
    return bytes
  }

  private static func takeQuoted(_ rest: inout ArraySlice<UInt8>, by quote: UInt8) -> [UInt8]? {
    var word: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == quote { return word }
      guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
        word.append(byte)
        continue
      }
      guard quote == UInt8(ascii: "\"") else {
        if next != quote { word.append(byte) }
        word.append(next)
        continue
      }
      switch next {
      case UInt8(ascii: "n"): word.append(10)
      case UInt8(ascii: "r"): word.append(13)
      case UInt8(ascii: "t"): word.append(9)
      case UInt8(ascii: "x"):
        guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
          rest.count >= 2
        else { return nil }
        rest = rest.dropFirst(2)
        word.append(value)
      default: word.append(next)
      }
    }
    return nil
  }
}
