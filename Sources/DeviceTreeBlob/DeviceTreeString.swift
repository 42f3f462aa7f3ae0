/// A name or a string in a blob: bytes without the terminating NUL, lent, of no certain encoding.
///
/// Compares with a `String` byte by byte, without making one.
public struct DeviceTreeString: ~Escapable {
  /// The bytes, without the terminator.
  public let bytes: RawSpan

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) {
    self.bytes = bytes
  }

  /// The length in bytes.
  public var byteCount: Int { bytes.byteCount }

  /// Whether these are exactly the UTF-8 bytes of `other`.
  ///
  /// - Complexity: O(*n*) in the shorter length.
  public func equals(_ other: String) -> Bool {
    // A span: a loop over `utf8` links the code for strings of UTF-16 as well.
    let wanted = other.utf8Span.span
    guard wanted.count == byteCount else { return false }
    for offset in wanted.indices where bytes.byte(at: offset) != wanted[offset] { return false }
    return true
  }

  /// Whether these are exactly the bytes of `other`.
  ///
  /// - Complexity: O(*n*).
  public func equals(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    for offset in 0..<byteCount where bytes.byte(at: offset) != other.byte(at: offset) {
      return false
    }
    return true
  }

  /// Whether a string in a blob has exactly the UTF-8 bytes of a `String`.
  public static func == (lhs: borrowing DeviceTreeString, rhs: String) -> Bool { lhs.equals(rhs) }

  /// Whether a string in a blob differs from the UTF-8 bytes of a `String`.
  public static func != (lhs: borrowing DeviceTreeString, rhs: String) -> Bool { !lhs.equals(rhs) }

  /// Whether this is a name that the specification allows: 1 to 31 of the bytes
  /// `A`–`Z a`–`z 0`–`9 , . _ + - # ? @`.
  ///
  /// Readers accept others too; ask before a name becomes, say, the name of a file.
  ///
  /// Source: Devicetree Specification v0.4, sections 2.2.1 and 2.2.4.1.
  public var isStandardName: Bool {
    guard byteCount >= 1, byteCount <= 31 else { return false }
    for offset in 0..<byteCount {
      switch bytes.byte(at: offset) ?? 0 {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ","), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "#"),
        UInt8(ascii: "?"), UInt8(ascii: "@"):
        continue
      default:
        return false
      }
    }
    return true
  }

  /// A copy for people; bytes that are not UTF-8 become U+FFFD.
  ///
  /// - Complexity: O(*n*), with heap memory.
  public var string: String {
    // Copied before it is decoded: shared bytes must not change between check and use.
    var copy: [UInt8] = []
    copy.reserveCapacity(byteCount)
    for offset in 0..<byteCount { copy.append(bytes.byte(at: offset) ?? 0) }
    return String(repairing: copy)
  }
}
