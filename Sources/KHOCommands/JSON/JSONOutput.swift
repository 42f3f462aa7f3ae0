internal import FoundationEssentials

extension Console {
  /// Prints `value` as JSON, indented, with keys in alphabetical order.
  package func printJSON(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      preconditionFailure("a report that cannot be encoded")
    }
    write(escapingControls(Array(data)))
    print()
  }
}

/// `json`, UTF-8, with U+007F to U+009F written as `\u007f` to `\u009f`.
///
/// JSON may hold them as they are, but a terminal takes some for the start of an escape sequence.
/// Outside strings JSON has none of them.
func escapingControls(_ json: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(json.count)
  var index = 0
  while index < json.count {
    let byte = json[index]
    let next = index + 1 < json.count ? json[index + 1] : 0
    if byte == 0x7f {
      result += Array(#"\u007f"#.utf8)
    } else if byte == 0xc2, (0x80...0x9f).contains(next) {
      result += Array(#"\u00"#.utf8) + Array(String(next, radix: 16).utf8)
      index += 1
    } else {
      result.append(byte)
    }
    index += 1
  }
  return result
}
