import MemoryAccess

/// Whether the values of a type are nothing but integers and floating-point numbers, without a gap.
///
/// Bytes between properties are undefined: two equal values would be stored as different bytes, and a key
/// would not be found again. The compiler does not refuse such a type, so the library does, when a program opens
/// a value or a collection of it.
package enum PreservableLayout {
  /// Why values of `type` cannot be stored, as a sentence; nil if they can.
  ///
  /// The elements of an `InlineArray` are not checked: all of its bytes count as numbers.
  ///
  /// - Complexity: O(properties).
  package static func fault(of type: Any.Type) -> String? {
    if numbers.contains(where: { $0 == type }) { return nil }
    guard let type = type as? any Preservable.Type else { return nil }
    return fault(ofPreservable: type)
  }

  /// The types that collections most often have. To look at a value's properties takes a tenth of opening a store.
  private static var numbers: [Any.Type] {
    [
      UInt64.self, UInt32.self, UInt16.self, UInt8.self, UInt.self, Double.self, Float.self,
      Int64.self, Int32.self, Int16.self, Int8.self, Int.self,
    ]
  }

  private static func fault<Value: Preservable>(ofPreservable type: Value.Type) -> String? {
    let byteCount = MemoryLayout<Value>.size
    let words = [UInt64](repeating: 0, count: byteCount / 8 + 1)
    // SAFETY: the array has at least `byteCount` bytes, and every bit pattern is a value of the type.
    let zero = unsafe words.span.bytes.unsafeLoadUnaligned(as: Value.self)
    do throws(Fault) {
      let usedByteCount = try Self.usedByteCount(zero, "")
      guard usedByteCount < byteCount else { return nil }
      return
        "values of \(type) have \(byteCount - usedByteCount) undefined bytes between their properties: "
        + "sort the properties by size, the largest first, or fill the gaps with properties"
    } catch {
      return "values of \(type) cannot be stored: \(error.reason)"
    }
  }

  private struct Fault: Error { let reason: String }

  /// How many bytes of a value belong to its numbers.
  private static func usedByteCount(_ value: Any, _ name: String) throws(Fault) -> Int {
    // First: an optional that holds a number is a number for a cast.
    let mirror = Mirror(reflecting: value)
    if value is Bool || mirror.displayStyle == .enum || mirror.displayStyle == .optional {
      throw Fault(
        reason: "not every bit pattern is a \(type(of: value)), the type of \(name.dropFirst())")
    }
    if value is any FixedWidthInteger { return size(of: value) }
    if let number = value as? any BinaryFloatingPoint {
      return min(size(of: value), bitCount(number) / 8)
    }
    if String(describing: type(of: value)).hasPrefix("Unsafe") {
      throw Fault(
        reason: "\(name.dropFirst()) is a pointer, which is not valid in the next process")
    }
    if mirror.children.isEmpty { return size(of: value) }
    var sum = 0
    for child in mirror.children {
      sum += try usedByteCount(child.value, "\(name).\(child.label ?? "")")
    }
    return sum
  }

  private static func size(of value: Any) -> Int {
    func size<Value>(_ value: Value) -> Int { MemoryLayout<Value>.size }
    return size(value)
  }

  private static func bitCount(_ number: some BinaryFloatingPoint) -> Int {
    type(of: number).exponentBitCount + type(of: number).significandBitCount + 1
  }
}
