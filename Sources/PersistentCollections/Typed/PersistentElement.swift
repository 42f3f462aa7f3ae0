import MemoryAccess
public import ProcessHandover

/// A type whose values can be keys and values of a ``PersistentMap``: the same bytes in every version of
/// a program.
///
/// Integers, `String` and `[UInt8]` are such types, and so is every structure that says it is
/// ``ProcessHandover/Preservable``:
///
///     struct Account: Preservable, PersistentElement { var cents: Int64; var changedAt: UInt64 }
public protocol PersistentElement {
  /// A number by which a store notices that a collection is opened with other types; 0 for any. The
  /// numbers up to 255 are this library's.
  static var persistentTypeNumber: UInt64 { get }

  /// How many bytes the value has in memory.
  var persistentByteCount: Int { get }

  /// Writes the value to the start of `bytes`, which has room for it.
  func write(to bytes: inout MutableRawSpan)

  /// The value in `bytes`; nil if they are not a value of the type.
  init?(persistentBytes bytes: RawSpan)
}

extension PersistentElement {
  /// 0: a store does not compare the type.
  public static var persistentTypeNumber: UInt64 { 0 }
}

/// Refuses a type whose values have undefined bytes.
///
/// - Throws: ``PersistentCollectionError/memory(_:)`` with `typeNotPreservable`.
func requirePreservable(_ type: any PersistentElement.Type) throws(PersistentCollectionError) {
  if let fault = PreservableLayout.fault(of: type) { throw .memory(.typeNotPreservable(fault)) }
}

/// A value's bit pattern, in the byte order of the machine.
extension PersistentElement where Self: Preservable {
  /// The size of the type, in bytes.
  @inlinable
  public var persistentByteCount: Int { MemoryLayout<Self>.size }

  /// Stores the value's bit pattern.
  @inlinable
  public func write(to bytes: inout MutableRawSpan) {
    bytes.storeBytes(of: self, toByteOffset: 0, as: Self.self)
  }

  /// The value of that bit pattern; nil where the size differs.
  @inlinable
  public init?(persistentBytes bytes: RawSpan) {
    guard bytes.byteCount == MemoryLayout<Self>.size else { return nil }
    // SAFETY: there are as many bytes, and every bit pattern is a value.
    self = unsafe bytes.unsafeLoadUnaligned(as: Self.self)
  }
}

extension UInt8: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 3 }
}
extension UInt16: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 4 }
}
extension UInt32: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 5 }
}
extension UInt64: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 6 }
}
extension Int8: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 7 }
}
extension Int16: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 8 }
}
extension Int32: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 9 }
}
extension Int64: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 10 }
}
extension Int: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 10 }
}
extension UInt: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 6 }
}
extension Double: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 11 }
}
extension Float: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 12 }
}

extension [UInt8]: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 1 }

  /// The number of bytes.
  public var persistentByteCount: Int { count }

  /// Copies the bytes.
  public func write(to bytes: inout MutableRawSpan) {
    // SAFETY: a byte has no padding that could be read.
    copy(unsafe span.bytes, to: &bytes)
  }

  /// A copy of the bytes.
  public init?(persistentBytes bytes: RawSpan) { self = bytes.copiedBytes() }
}

extension String: PersistentElement {
  /// The number of the type.
  public static var persistentTypeNumber: UInt64 { 2 }

  /// The number of bytes in UTF-8.
  public var persistentByteCount: Int { utf8.count }

  /// Writes the string as UTF-8.
  public func write(to bytes: inout MutableRawSpan) {
    // SAFETY: a byte has no padding that could be read.
    copy(unsafe utf8.span.bytes, to: &bytes)
  }

  /// The string of these bytes; nil if they are not UTF-8.
  public init?(persistentBytes bytes: RawSpan) {
    self.init(validating: bytes.copiedBytes(), as: UTF8.self)
  }
}
