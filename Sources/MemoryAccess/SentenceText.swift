#if !hasFeature(Embedded)
  // Parts of the sentences that errors and findings of all targets are made of.

  /// A number of bytes for people: `214 bytes`, `84 KiB`, `2.18 MiB`.
  package func byteText(_ byteCount: UInt64) -> String {
    if byteCount < 1024 { return byteCount == 1 ? "1 byte" : "\(byteCount) bytes" }
    var unit = 0
    var whole = byteCount
    var rest: UInt64 = 0
    while whole >= 1024, unit < 6 {
      rest = whole & 1023
      whole >>= 10
      unit += 1
    }
    let name = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][unit]
    let hundredths = rest * 100 / 1024
    if hundredths == 0 || whole >= 100 { return "\(whole) \(name)" }
    return "\(whole).\(hundredths < 10 ? "0" : "")\(hundredths) \(name)"
  }

  /// `count` of something, in the singular or the plural.
  package func countText(
    _ count: some BinaryInteger, _ one: String, _ many: String? = nil
  ) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
  }

  /// Returns `text` from an untrusted source, safe for a terminal and cut after `limit` characters:
  /// characters that are not visible are written as `\u{…}`, and a backslash as two.
  package func printable(_ text: String, limit: Int = 80) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit) {
      if scalar == "\\" {
        result += "\\\\"
      } else if scalar.isShownAsItself {
        result.unicodeScalars.append(scalar)
      } else {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return text.unicodeScalars.count > limit ? result + "…" : result
  }

  /// Returns a path that the user named, safe for a terminal, and whole: Linux takes no path of more
  /// than 4,096 bytes.
  package func printable(path: String) -> String { printable(path, limit: 4096) }

  extension Unicode.Scalar {
    /// Whether a person sees this character where it is, and as what it is: by its general category, so
    /// not control characters, not those that format (which change the direction of text, join, or are
    /// invisible), not separators but the space, not what is unassigned or of private use.
    package var isShownAsItself: Bool {
      if isASCII { return (0x20..<0x7f).contains(value) }
      return switch properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
        .paragraphSeparator, .spaceSeparator:
        false
      default: true
      }
    }
  }
#endif
