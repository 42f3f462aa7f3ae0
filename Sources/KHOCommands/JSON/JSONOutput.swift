internal import FoundationEssentials
internal import KexecHandover

extension Console {
  /// Prints `value` as JSON, indented, with keys in alphabetical order.
  package func printJSON(_ value: some Encodable) {
    write(encodedJSON(value, isPretty: true))
    print()
  }
}

/// `value` as JSON, with keys in alphabetical order, fit for a terminal.
func encodedJSON(_ value: some Encodable, isPretty: Bool) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting =
    isPretty
    ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    : [.sortedKeys, .withoutEscapingSlashes]
  guard let data = try? encoder.encode(value) else {
    preconditionFailure("a report that cannot be encoded")
  }
  return escapingControls(Array(data))
}

/// `json`, UTF-8, with every character that is not shown as itself written as `\u…`: control characters,
/// those that change the direction of text, separators of lines, and what Unicode has not assigned.
///
/// JSON may hold them as they are, but a terminal takes some for the start of an escape sequence, and
/// others hide or reorder what follows. Outside strings JSON has none of them.
func escapingControls(_ json: [UInt8]) -> [UInt8] {
  guard json.contains(where: { $0 >= 0x7f }) else { return json }
  var result: [UInt8] = []
  result.reserveCapacity(json.count)
  for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
    if scalar.isASCII, scalar.value < 0x7f {
      result.append(UInt8(scalar.value))
    } else if scalar.isShownAsItself {
      result += Array(UTF8.encode(scalar)!)
    } else {
      for unit in UTF16.encode(scalar)! {
        let digits = String(unit, radix: 16)
        result += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
      }
    }
  }
  return result
}
