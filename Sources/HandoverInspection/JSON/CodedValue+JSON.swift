package import PersistentCollections

extension CodedValue {
  /// The value as JSON on one line. Numbers that JSON does not have, such as infinity, are strings.
  package var jsonText: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .signed(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .float(let value): value.isFinite ? "\(value)" : "\"\(value)\""
    case .double(let value): value.isFinite ? "\(value)" : "\"\(value)\""
    case .string(let value): JSONValue.string(value).text()
    case .array(let elements): "[" + elements.map(\.jsonText).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.map { "\(JSONValue.string($0.key).text()): \($0.value.jsonText)" }
        .joined(separator: ", ") + "}"
    }
  }
}
