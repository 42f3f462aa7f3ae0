internal import RESP

/// Patterns as Redis matches them (stringmatchlen): `*`, `?`, `[a-z]`, `[^a]`, and a backslash before
/// what is meant as it is.
enum GlobPattern {
  /// Whether all of `text` is what `pattern` describes.
  ///
  /// - Complexity: O(pattern · text): a `*` that fails moves on by one byte, and no earlier `*` is tried
  ///   again, since a later one makes up for it.
  static func matches(_ pattern: RawSpan, _ text: RawSpan, ignoringCase: Bool = false) -> Bool {
    var patternIndex = 0
    var textIndex = 0
    var star: (pattern: Int, text: Int)?
    while textIndex < text.byteCount {
      if patternIndex < pattern.byteCount, pattern[patternIndex] == UInt8(ascii: "*") {
        star = (patternIndex, textIndex)
        patternIndex += 1
        continue
      }
      var next = patternIndex
      if patternIndex < pattern.byteCount,
        matchesOne(pattern, &next, text[textIndex], ignoringCase)
      {
        patternIndex = next
        textIndex += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        patternIndex = last.pattern + 1
        textIndex = last.text + 1
      } else {
        return false
      }
    }
    while patternIndex < pattern.byteCount, pattern[patternIndex] == UInt8(ascii: "*") {
      patternIndex += 1
    }
    return patternIndex == pattern.byteCount
  }

  /// Whether what is at `index` describes `byte`; moves on behind it.
  private static func matchesOne(
    _ pattern: RawSpan, _ index: inout Int, _ byte: UInt8, _ ignoringCase: Bool
  ) -> Bool {
    func folded(_ byte: UInt8) -> UInt8 { ignoringCase ? byte.lowercased : byte }
    switch pattern[index] {
    case UInt8(ascii: "?"):
      index += 1
      return true
    case UInt8(ascii: "["):
      return matchesSet(pattern, &index, byte, ignoringCase)
    case UInt8(ascii: "\\"):
      if index + 1 < pattern.byteCount { index += 1 }
      fallthrough
    default:
      index += 1
      return folded(pattern[index - 1]) == folded(byte)
    }
  }

  private static func matchesSet(
    _ pattern: RawSpan, _ index: inout Int, _ byte: UInt8, _ ignoringCase: Bool
  ) -> Bool {
    func folded(_ byte: UInt8) -> UInt8 { ignoringCase ? byte.lowercased : byte }
    let byte = folded(byte)
    index += 1
    let isNegated = index < pattern.byteCount && pattern[index] == UInt8(ascii: "^")
    if isNegated { index += 1 }
    var isInSet = false
    // A set that is not closed ends with the pattern.
    while index < pattern.byteCount, pattern[index] != UInt8(ascii: "]") {
      if pattern[index] == UInt8(ascii: "\\"), index + 1 < pattern.byteCount {
        index += 1
        if folded(pattern[index]) == byte { isInSet = true }
      } else if index + 2 < pattern.byteCount, pattern[index + 1] == UInt8(ascii: "-") {
        let ends = (folded(pattern[index]), folded(pattern[index + 2]))
        if byte >= min(ends.0, ends.1), byte <= max(ends.0, ends.1) { isInSet = true }
        index += 2
      } else if folded(pattern[index]) == byte {
        isInSet = true
      }
      index += 1
    }
    if index < pattern.byteCount { index += 1 }
    return isInSet != isNegated
  }
}
