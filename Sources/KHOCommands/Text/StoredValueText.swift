internal import KexecHandover
internal import PersistentCollections

/// A key or a value as JSON, by the number of its type.
enum StoredValueText {
  static func json(_ bytes: RawSpan, type: UInt64, isOrdered: Bool = false) -> String {
    if let number = number(bytes, type, isOrdered) { return number }
    if type == 15, let value = CodedValue(parsing: bytes) { return value.jsonText }
    if type <= 2, let text = String(validating: bytes.copiedBytes(), as: UTF8.self) {
      return JSONValue.string(text).text()
    }
    return JSONValue.string(hexadecimal(bytes.copiedBytes())).text()
  }

  private static func number(_ bytes: RawSpan, _ type: UInt64, _ isOrdered: Bool) -> String? {
    func integer<Number: PersistentOrderedElement & CustomStringConvertible>(
      _ type: Number.Type
    ) -> String? {
      (isOrdered ? Number(orderedBytes: bytes) : Number(persistentBytes: bytes))?.description
    }
    switch type {
    case 3: return integer(UInt8.self)
    case 4: return integer(UInt16.self)
    case 5: return integer(UInt32.self)
    case 6: return integer(UInt64.self)
    case 7: return integer(Int8.self)
    case 8: return integer(Int16.self)
    case 9: return integer(Int32.self)
    case 10, 13: return integer(Int64.self)
    case 11: return Double(persistentBytes: bytes).flatMap { $0.isFinite ? "\($0)" : nil }
    case 12: return Float(persistentBytes: bytes).flatMap { $0.isFinite ? "\($0)" : nil }
    default: return nil
    }
  }
}
