internal import MemoryAccess

/// Why text is not JSON that this library reads.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The offset of the first byte that does not fit.
  public let byteOffset: Int
  /// What was expected there.
  public let expected: String

  /// Where the text is wrong, and what was expected.
  public var description: String { "at byte \(byteOffset), \(expected) was expected." }
}

extension JSONValue {
  /// The deepest nesting of arrays and objects that is read.
  public static var depthLimit: Int { 64 }

  /// Reads JSON, UTF-8.
  ///
  /// - Throws: ``JSONError`` where `bytes` are not JSON, nested deeper than ``depthLimit``, hold a name twice
  ///   in one object, or a number that is negative, not an integer, or 2^64 or more.
  /// - Complexity: O(bytes).
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }
}

private struct JSONParser {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func failure(_ expected: String) -> JSONError {
    JSONError(byteOffset: offset, expected: expected)
  }

  private mutating func skipBlanks() {
    while let byte = next, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { offset += 1 }
  }

  /// Takes `byte` where it comes next, behind blanks.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard next == byte else { return false }
    offset += 1
    return true
  }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipBlanks()
    guard next == nil else { throw failure("the end") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth <= JSONValue.depthLimit else { throw failure("no deeper nesting") }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case .some(0x30...0x39): return .number(try number())
    default:
      for (word, value) in [
        ("null", JSONValue.null), ("true", .bool(true)), ("false", .bool(false)),
      ]
      where bytes[offset...].starts(with: word.utf8) {
        offset += word.utf8.count
        return value
      }
      throw failure("an integer that is not negative, a string, an object or another value")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var members: [JSONValue.Member] = []
    var names: Set<String> = []
    guard !take(UInt8(ascii: "}")) else { return .object([]) }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("a name in quotes") }
      let start = offset
      let name = try string()
      guard names.insert(name).inserted else {
        throw JSONError(byteOffset: start, expected: "a name that is not there yet")
      }
      guard take(UInt8(ascii: ":")) else { throw failure("a colon") }
      members.append(.init(name, try value(depth: depth + 1)))
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw failure("a comma or }") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var values: [JSONValue] = []
    guard !take(UInt8(ascii: "]")) else { return .array([]) }
    repeat { values.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw failure("a comma or ]") }
    return .array(values)
  }

  private mutating func number() throws(JSONError) -> UInt64 {
    let start = offset
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
    let isInteger = ![UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(next)
    let digits = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard isInteger, digits == "0" || !digits.hasPrefix("0"), let value = UInt64(digits) else {
      throw JSONError(byteOffset: start, expected: "an integer from 0 to 2^64 - 1")
    }
    return value
  }

  private mutating func string() throws(JSONError) -> String {
    offset += 1
    var text: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw failure("no control character in a string") }
      if byte == UInt8(ascii: "\\") {
        text += try escaped()
      } else {
        text.append(byte)
        offset += 1
      }
    }
    guard next != nil else { throw failure("the end of a string") }
    guard let result = String(validating: text, as: UTF8.self) else {
      throw failure("UTF-8 in a string")
    }
    offset += 1
    return result
  }

  /// The character behind a backslash.
  private mutating func escaped() throws(JSONError) -> [UInt8] {
    let simple: [UInt8: UInt8] = [
      0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9,
    ]
    offset += 1
    if let byte = next, let meant = simple[byte] {
      offset += 1
      return [meant]
    }
    let first = try unit()
    var scalar = Unicode.Scalar(UInt32(first))
    if UTF16.isLeadSurrogate(first), next == UInt8(ascii: "\\") {
      offset += 1
      let second = try unit()
      if UTF16.isTrailSurrogate(second) {
        scalar = Unicode.Scalar(0x10000 + (UInt32(first) & 0x3ff) << 10 + UInt32(second) & 0x3ff)
      }
    }
    guard let scalar else { throw failure("both halves of a surrogate pair") }
    return Array(String(scalar).utf8)
  }

  /// The four digits of `\uXXXX`, from the `u` on.
  private mutating func unit() throws(JSONError) -> UInt16 {
    guard next == UInt8(ascii: "u"), offset + 5 <= bytes.count else {
      throw failure("one of \" \\ / b f n r t, or u and four digits")
    }
    let digits = bytes[offset + 1..<offset + 5]
    let isHexadecimal = digits.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
    guard isHexadecimal, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits") }
    offset += 5
    return unit
  }
}
