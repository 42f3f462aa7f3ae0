internal import KexecHandover
internal import PersistentCollections

/// A key or a value as JSON, by the number of its type.
enum StoredValueText {
  static func json(_ bytes: RawSpan, type: UInt64, isOrdered: Bool = false) -> String {
    if let number = number(bytes, type, isOrdered) { return number }
    if type == Coded<String>.persistentTypeNumber, let value = CodedValue(parsing: bytes) {
      return value.jsonText
    }
    // 0 is the number of a type without one.
    let texts = [0, [UInt8].persistentTypeNumber, String.persistentTypeNumber]
    if texts.contains(type), let text = String(validating: bytes.copiedBytes(), as: UTF8.self) {
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
    case UInt8.persistentTypeNumber: return integer(UInt8.self)
    case UInt16.persistentTypeNumber: return integer(UInt16.self)
    case UInt32.persistentTypeNumber: return integer(UInt32.self)
    case UInt64.persistentTypeNumber: return integer(UInt64.self)
    case Int8.persistentTypeNumber: return integer(Int8.self)
    case Int16.persistentTypeNumber: return integer(Int16.self)
    case Int32.persistentTypeNumber: return integer(Int32.self)
    case Int64.persistentTypeNumber, PersistentInstant.persistentTypeNumber:
      return integer(Int64.self)
    case Double.persistentTypeNumber:
      return Double(persistentBytes: bytes).flatMap { $0.isFinite ? "\($0)" : nil }
    case Float.persistentTypeNumber:
      return Float(persistentBytes: bytes).flatMap { $0.isFinite ? "\($0)" : nil }
    default: return nil
    }
  }
}
