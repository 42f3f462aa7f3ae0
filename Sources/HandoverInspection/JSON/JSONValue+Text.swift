internal import MemoryAccess

extension JSONValue {
  /// The value as JSON text.
  ///
  /// Every character that a terminal does not show as itself is written as `\u…`: control characters, those
  /// that change the direction of text, separators of lines, and what Unicode has not assigned. JSON may hold
  /// them as they are, but a terminal takes some for the start of an escape sequence, and others hide or
  /// reorder what follows.
  ///
  /// - Parameter isPretty: whether objects, and arrays of objects, are spread over indented lines.
  /// - Complexity: O(characters).
  public func text(isPretty: Bool = true) -> String {
    var text = ""
    append(to: &text, indent: isPretty ? "" : nil)
    return text
  }

  /// Adds the value.
  ///
  /// - Parameters:
  ///   - text: where it is added.
  ///   - indent: what precedes each line; nil for one line.
  func append(to text: inout String, indent: String?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let value): text += "\(value)"
    case .string(let value): Self.append(value, to: &text)
    case .array(let values):
      let isFlat = indent == nil || values.allSatisfy(\.isScalar)
      Self.append(values, "[", "]", to: &text, isFlat ? nil : indent) { value, text, indent in
        value.append(to: &text, indent: indent)
      }
    case .object(let members):
      Self.append(members, "{", "}", to: &text, indent) { member, text, indent in
        Self.append(member.name, to: &text)
        text += indent == nil ? ":" : ": "
        member.value.append(to: &text, indent: indent)
      }
    }
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    case .null, .bool, .number, .string: true
    }
  }

  private static func append<Part>(
    _ parts: [Part], _ start: String, _ end: String, to text: inout String, _ indent: String?,
    _ append: (Part, inout String, String?) -> Void
  ) {
    text += start
    let inner = indent.map { $0 + "  " }
    for (index, part) in parts.enumerated() {
      if index > 0 { text += "," }
      if let inner { text += "\n" + inner }
      append(part, &text, inner)
    }
    if let indent, !parts.isEmpty { text += "\n" + indent }
    text += end
  }

  /// Adds `value` in quotes.
  static func append(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        if scalar.isShownAsItself {
          text.unicodeScalars.append(scalar)
        } else {
          for unit in UTF16.encode(scalar)! {
            let digits = String(unit, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
          }
        }
      }
    }
    text += "\""
  }
}
