import MemoryAccess

/// A type whose values can be the keys of an ordered map: their bytes compare as the values do.
///
/// Integers, ``PersistentInstant``, ``PersistentUUID``, `[UInt8]` and `String` are such types. Strings are
/// in the order of their bytes in UTF-8, which is that of their Unicode scalars.
public protocol PersistentOrderedElement: PersistentElement {
  /// How many bytes the key has.
  var orderedByteCount: Int { get }

  /// Writes the key to the start of `bytes`, which has room for it.
  func writeOrdered(to bytes: inout MutableRawSpan)

  /// The value of the key in `bytes`; nil where it is not one.
  init?(orderedBytes bytes: RawSpan)
}

extension PersistentOrderedElement {
  /// As many bytes as the value has elsewhere.
  public var orderedByteCount: Int { persistentByteCount }
  /// Writes the same bytes as elsewhere.
  public func writeOrdered(to bytes: inout MutableRawSpan) { write(to: &bytes) }
  /// The value of the same bytes as elsewhere.
  public init?(orderedBytes bytes: RawSpan) { self.init(persistentBytes: bytes) }

  var orderedBytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: orderedByteCount)
    var span = bytes.mutableSpan
    // SAFETY: any byte may be written to a byte.
    var rawSpan = unsafe span.mutableBytes
    writeOrdered(to: &rawSpan)
    return bytes
  }
}

extension PersistentOrderedElement where Self: FixedWidthInteger & BitwiseCopyable {
  /// Big-endian, the sign bit of a signed number turned around.
  public func writeOrdered(to bytes: inout MutableRawSpan) {
    let flip: Self = Self.isSigned ? Self.min : 0
    bytes.storeBytes(of: (self ^ flip).bigEndian, toByteOffset: 0, as: Self.self)
  }

  /// The number of these bytes.
  public init?(orderedBytes bytes: RawSpan) {
    guard bytes.byteCount == MemoryLayout<Self>.size else { return nil }
    let flip: Self = Self.isSigned ? Self.min : 0
    // SAFETY: as many bytes are there, and every bit pattern is a number.
    self = Self(bigEndian: unsafe bytes.unsafeLoadUnaligned(as: Self.self)) ^ flip
  }
}

extension UInt8: PersistentOrderedElement {}
extension UInt16: PersistentOrderedElement {}
extension UInt32: PersistentOrderedElement {}
extension UInt64: PersistentOrderedElement {}
extension Int8: PersistentOrderedElement {}
extension Int16: PersistentOrderedElement {}
extension Int32: PersistentOrderedElement {}
extension Int64: PersistentOrderedElement {}
extension Int: PersistentOrderedElement {}
extension UInt: PersistentOrderedElement {}
extension [UInt8]: PersistentOrderedElement {}
extension String: PersistentOrderedElement {}

/// An instant, in nanoseconds since 1970 in Coordinated Universal Time without leap seconds: what
/// Foundation's `Date` is, without Foundation.
public struct PersistentInstant: Hashable, Comparable, Sendable {
  /// Nanoseconds since 1970.
  public var nanoseconds: Int64

  /// The instant so many nanoseconds after the beginning of 1970.
  public init(nanosecondsSince1970 nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The instant so many seconds after the beginning of 1970, the nearest that can be represented.
  public init(secondsSince1970 seconds: Double) {
    let limit = 9.2e18
    let scaled = seconds * 1e9
    nanoseconds = scaled.isNaN ? 0 : Int64(max(-limit, min(limit, scaled)))
  }

  /// Seconds since 1970.
  public var secondsSince1970: Double { Double(nanoseconds) / 1e9 }

  /// Whether the first is before the second.
  public static func < (one: Self, other: Self) -> Bool { one.nanoseconds < other.nanoseconds }
}

extension PersistentInstant: PersistentOrderedElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 13 }
  /// 8.
  public var persistentByteCount: Int { 8 }
  /// Writes the nanoseconds.
  public func write(to bytes: inout MutableRawSpan) { nanoseconds.write(to: &bytes) }
  /// The instant of these bytes.
  public init?(persistentBytes bytes: RawSpan) {
    guard let nanoseconds = Int64(persistentBytes: bytes) else { return nil }
    self.nanoseconds = nanoseconds
  }
  /// Writes the nanoseconds so that they compare as numbers do.
  public func writeOrdered(to bytes: inout MutableRawSpan) { nanoseconds.writeOrdered(to: &bytes) }
  /// The instant of these bytes.
  public init?(orderedBytes bytes: RawSpan) {
    guard let nanoseconds = Int64(orderedBytes: bytes) else { return nil }
    self.nanoseconds = nanoseconds
  }
}

/// 16 bytes that name something: what Foundation's `UUID` is, without Foundation.
public struct PersistentUUID: Hashable, Sendable {
  /// The first 8 bytes, the first one highest.
  public let high: UInt64
  /// The last 8 bytes.
  public let low: UInt64

  /// The bytes of two numbers.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A random one of version 4, RFC 9562.
  public static func random() -> PersistentUUID {
    PersistentUUID(
      high: .random(in: 0 ... .max) & ~0xf000 | 0x4000,
      low: .random(in: 0 ... .max) & ~(3 << 62) | 2 << 62)
  }
}

extension PersistentUUID: PersistentOrderedElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 14 }
  /// 16.
  public var persistentByteCount: Int { 16 }
  /// Writes the 16 bytes.
  public func write(to bytes: inout MutableRawSpan) {
    bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
    bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
  }
  /// The UUID of these bytes.
  public init?(persistentBytes bytes: RawSpan) {
    guard bytes.byteCount == 16, let high = bytes.plainWord(atByte: 0),
      let low = bytes.plainWord(atByte: 8)
    else { return nil }
    self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
  }
}
