import MemoryAccess

/// A value as ``Coded`` stores it: a tree that describes itself, so that a tool can print it, and a later
/// version of the type can decode it where properties were added or removed.
///
///     tag    0 nil, 1 false, 2 true                                       1 byte
///            3 signed integer, 4 unsigned integer                         varint, 3 in zigzag form
///            5 Float, 6 Double                                            4, 8 bytes, little-endian
///            7 string                                                     varint of bytes, UTF-8
///            8 array                                                      varint of elements, elements
///            9 object                                                     varint of members; key as in 7, value
///
/// A varint has 7 bits in each byte, the low ones first; the high bit says that more follow.
package indirect enum CodedValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case signed(Int64)
  case unsigned(UInt64)
  case float(Float)
  case double(Double)
  case string(String)
  case array([CodedValue])
  case object([(key: String, value: CodedValue)])

  /// The deepest nesting of values. Deeper ones are refused, also when they are read.
  static let depthLimit = 128

  /// Whether values are nested no deeper than ``depthLimit``.
  var isDecodable: Bool { isNested(atMost: Self.depthLimit) }

  private func isNested(atMost limit: Int) -> Bool {
    guard limit > 0 else { return false }
    switch self {
    case .array(let elements): return elements.allSatisfy { $0.isNested(atMost: limit - 1) }
    case .object(let members): return members.allSatisfy { $0.value.isNested(atMost: limit - 1) }
    default: return true
    }
  }

  package static func == (one: CodedValue, other: CodedValue) -> Bool {
    one.bytes == other.bytes
  }

  // MARK: Bytes

  /// The value in its format.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  private func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(0)
    case .bool(let value): bytes.append(value ? 2 : 1)
    case .signed(let value):
      bytes.append(3)
      Self.append(UInt64(bitPattern: value &<< 1 ^ value &>> 63), to: &bytes)
    case .unsigned(let value):
      bytes.append(4)
      Self.append(value, to: &bytes)
    case .float(let value):
      bytes.append(5)
      for shift in stride(from: 0 as UInt32, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: value.bitPattern &>> shift))
      }
    case .double(let value):
      bytes.append(6)
      for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: value.bitPattern &>> shift))
      }
    case .string(let value):
      bytes.append(7)
      Self.append(value, to: &bytes)
    case .array(let elements):
      bytes.append(8)
      Self.append(UInt64(elements.count), to: &bytes)
      for element in elements { element.append(to: &bytes) }
    case .object(let members):
      bytes.append(9)
      Self.append(UInt64(members.count), to: &bytes)
      for member in members {
        Self.append(member.key, to: &bytes)
        member.value.append(to: &bytes)
      }
    }
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    append(UInt64(text.utf8.count), to: &bytes)
    bytes.append(contentsOf: text.utf8)
  }

  /// The value in untrusted bytes; nil unless they are exactly one value.
  ///
  /// - Complexity: O(bytes).
  package init?(parsing bytes: RawSpan) {
    var parser = Parser(bytes: bytes.copiedBytes())
    guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
    self = value
  }

  private struct Parser {
    let bytes: [UInt8]
    private var next = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { next == bytes.count }
    private var rest: Int { bytes.count - next }

    private mutating func byte() -> UInt8? {
      guard next < bytes.count else { return nil }
      defer { next += 1 }
      return bytes[next]
    }

    private mutating func number() -> UInt64? {
      var number: UInt64 = 0
      for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
        guard let byte = byte() else { return nil }
        // The tenth byte has one bit of a number.
        guard shift < 63 || byte <= 1 else { return nil }
        number |= UInt64(byte & 0x7f) &<< shift
        if byte < 0x80 { return number }
      }
      return nil
    }

    /// Reads a number of items of at least `byteCount` bytes each; nil if the rest is shorter than that.
    private mutating func count(ofItemsOf byteCount: Int) -> Int? {
      guard let number = number(), number <= UInt64(rest / byteCount) else { return nil }
      return Int(number)
    }

    private mutating func text() -> String? {
      guard let count = count(ofItemsOf: 1) else { return nil }
      defer { next += count }
      return String(validating: bytes[next..<next + count], as: UTF8.self)
    }

    private mutating func bits(_ byteCount: Int) -> UInt64? {
      var bits: UInt64 = 0
      for index in 0..<byteCount {
        guard let byte = byte() else { return nil }
        bits |= UInt64(byte) &<< UInt64(index * 8)
      }
      return bits
    }

    mutating func value(depth: Int) -> CodedValue? {
      guard depth < CodedValue.depthLimit, let tag = byte() else { return nil }
      switch tag {
      case 0: return .null
      case 1: return .bool(false)
      case 2: return .bool(true)
      case 3:
        return number().map { .signed(Int64(bitPattern: $0 &>> 1) ^ -Int64(bitPattern: $0 & 1)) }
      case 4: return number().map { .unsigned($0) }
      case 5: return bits(4).map { .float(Float(bitPattern: UInt32(truncatingIfNeeded: $0))) }
      case 6: return bits(8).map { .double(Double(bitPattern: $0)) }
      case 7: return text().map { .string($0) }
      case 8: return array(depth)
      case 9: return object(depth)
      default: return nil
      }
    }

    private mutating func array(_ depth: Int) -> CodedValue? {
      guard let count = count(ofItemsOf: 1) else { return nil }
      var elements: [CodedValue] = []
      for _ in 0..<count {
        guard let element = value(depth: depth + 1) else { return nil }
        elements.append(element)
      }
      return .array(elements)
    }

    private mutating func object(_ depth: Int) -> CodedValue? {
      guard let count = count(ofItemsOf: 2) else { return nil }
      var members: [(key: String, value: CodedValue)] = []
      for _ in 0..<count {
        guard let key = text(), let value = value(depth: depth + 1) else { return nil }
        members.append((key, value))
      }
      return .object(members)
    }
  }
}
