public import MemoryAccess

/// A type whose every bit pattern is a value, so that it can be read from memory that another process
/// wrote: integers, floating-point numbers, and structures of nothing else.
///
/// Not `Bool`, not enumerations, not structures with a pointer, and not structures with gaps between the properties,
/// whose bytes are undefined. The library checks this when a program opens a value or a collection, and refuses other
/// types. Properties that are sorted by size, the largest first, leave no gaps. A type that conforms keeps the order
/// and the types of its properties from version to version, or takes another name for its value.
public protocol Preservable: BitwiseCopyable {}

extension UInt8: Preservable {}
extension UInt16: Preservable {}
extension UInt32: Preservable {}
extension UInt64: Preservable {}
extension Int8: Preservable {}
extension Int16: Preservable {}
extension Int32: Preservable {}
extension Int64: Preservable {}
extension Int: Preservable {}
extension UInt: Preservable {}
extension Float: Preservable {}
extension Double: Preservable {}
extension PhysicalAddress: Preservable {}
extension FrameNumber: Preservable {}

/// Where a value is in preserved memory.
public struct PreservedValue<Value: Preservable>: Sendable {
  /// The value's first byte.
  public let address: PhysicalAddress

  /// The bytes of the value.
  var range: PhysicalRange {
    PhysicalRange(start: address, byteCount: UInt64(MemoryLayout<Value>.size))
  }
}

extension PreservedMemory {
  /// The value called `name`; a new one of `initial` if nothing has the name.
  ///
  /// - Throws: ``PreservedMemoryError/typeNotPreservable(_:)`` of a type with undefined bytes;
  ///   ``PreservedMemoryError/sizeDiffers(byteCount:wanted:)`` where the name is that of something
  ///   of another size, and as ``makeRegion(named:byteCount:_:)``.
  /// - Complexity: O(names).
  public mutating func value<Value: Preservable>(
    named name: String, initially initial: Value
  ) throws(PreservedMemoryError) -> PreservedValue<Value> {
    let byteCount = UInt64(MemoryLayout<Value>.size)
    precondition(byteCount > 0, "a value of no bytes")
    if let fault = PreservableLayout.fault(of: Value.self) { throw .typeNotPreservable(fault) }
    if let found = try region(named: name) {
      guard found.byteCount == byteCount else {
        throw .sizeDiffers(byteCount: found.byteCount, wanted: byteCount)
      }
      return PreservedValue(address: found.start)
    }
    let made = try makeRegion(named: name, byteCount: byteCount) {
      $0.storeBytes(of: initial, toByteOffset: 0, as: Value.self)
    }
    return PreservedValue(address: made.start)
  }

  /// Reads a value.
  ///
  /// - Precondition: the value is one of this memory's.
  public func load<Value: Preservable>(_ place: PreservedValue<Value>) -> Value {
    withBytes(of: place.range) { bytes in
      // SAFETY: the range is as long as the value, and every bit pattern is one.
      unsafe bytes.unsafeLoadUnaligned(as: Value.self)
    }
  }

  /// Stores a value.
  ///
  /// One of up to 8 bytes is there completely or not at all, whenever the process is killed; of a larger
  /// one a part may be. Where that matters, ``replaceRegion(named:byteCount:_:)`` puts a new one in the
  /// place of the old.
  ///
  /// - Precondition: the value is one of this memory's.
  public mutating func store<Value: Preservable>(
    _ value: Value, to place: PreservedValue<Value>
  ) {
    let byteCount = Int(place.range.byteCount)
    let offset = Int(place.address.rawValue & 7)
    // A value is a region of whole pages, so the word around it is its own.
    guard byteCount &+ offset <= 8 else {
      withMutableBytes(of: place.range) {
        $0.storeBytes(of: value, toByteOffset: 0, as: Value.self)
      }
      return
    }
    let word = PhysicalRange(
      start: PhysicalAddress(place.address.rawValue &- UInt64(offset)), byteCount: 8)
    withWords(of: word) { words in
      var whole = [words.load(0)]
      var span = whole.mutableSpan
      // SAFETY: any bytes are a word.
      var bytes = unsafe span.mutableBytes
      bytes.storeBytes(of: value, toByteOffset: offset, as: Value.self)
      words.publish(whole[0], at: 0)
    }
  }
}
