/// A value of JSON, for reports whose parts differ from image to image.
indirect enum JSONValue: Encodable, Equatable {
  case null
  case bool(Bool)
  case integer(UInt64)
  case text(String)
  case array([JSONValue])
  case object([String: JSONValue])

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .bool(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .integer(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .text(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .array(let values):
      var container = encoder.unkeyedContainer()
      for value in values { try container.encode(value) }
    case .object(let members):
      var container = encoder.container(keyedBy: Key.self)
      for (name, value) in members {
        try container.encode(value, forKey: Key(stringValue: name))
      }
    }
  }

  static func number(_ value: (some BinaryInteger)?) -> JSONValue {
    value.map { .integer(UInt64($0)) } ?? .null
  }

  static func string(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
}
