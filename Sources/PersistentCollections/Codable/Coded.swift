import MemoryAccess

/// A value of any `Codable` type, for collections of a ``PersistentStore``.
///
///     struct User: Codable { var name: String; var logins: [UInt64]; var motto: String? }
///     let users = try store.map("users", of: (UInt64.self, Coded<User>.self))
///     try users.set(Coded(User(name: "ann", logins: [])), for: 7)
///     let ann = try users[7]?.value
///
/// The names of the properties are stored with each value, so a later version of the program may add
/// optional properties and remove others. That is its cost: a value takes more bytes than a `Preservable`
/// structure, and encoding and decoding take some microseconds each. Numbers are stored in as few bytes as
/// they need. A type whose property `[UInt8]` has thousands of elements is better divided into a map of
/// bytes beside it.
public struct Coded<Value: Codable> {
  /// The value.
  public let value: Value
  /// The bytes of the value, in the format of `CodedValue`.
  let bytes: [UInt8]

  /// Encodes `value`.
  ///
  /// - Throws: `EncodingError`, and what `value` throws. Values within each other more than 128 deep are
  ///   refused.
  /// - Complexity: O(value).
  public init(_ value: Value) throws {
    let encoder = CodedEncoder(codingPath: [])
    try value.encode(to: encoder)
    let coded = encoder.node.value
    // Containers nest without a value between them, too.
    guard coded.isDecodable else { throw CodedEncoder.tooDeep(value, []) }
    self.value = value
    bytes = coded.bytes
  }
}

extension Coded: Sendable where Value: Sendable {}

extension Coded: PersistentElement {
  /// The number of the type, for all values: types are not distinguished.
  public static var persistentTypeNumber: UInt64 { 15 }
  /// The size of the encoded value.
  public var persistentByteCount: Int { bytes.count }

  /// Copies the encoded value.
  public func write(to target: inout MutableRawSpan) { bytes.write(to: &target) }

  /// Decodes a value; nil where the bytes are not one, or the type cannot be decoded from it.
  public init?(persistentBytes: RawSpan) {
    guard let coded = CodedValue(parsing: persistentBytes),
      let value = try? Value(from: CodedDecoder(value: coded, codingPath: []))
    else { return nil }
    self.value = value
    bytes = persistentBytes.copiedBytes()
  }
}
