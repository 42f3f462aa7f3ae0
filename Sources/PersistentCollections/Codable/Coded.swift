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
/// they need, and so are the elements of a `[UInt8]`, one by one: store thousands of bytes in a map of `[UInt8]`
/// beside this one.
public struct Coded<Value: Codable> {
  /// The value.
  public let value: Value
  /// The bytes of the value, in the format of `CodedValue`.
  let bytes: [UInt8]

  /// Encodes `value`.
  ///
  /// - Throws: `EncodingError`, also of values that are nested more than 128 deep, and the errors of `value`.
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

  /// Decodes a value; nil if the bytes are not a value, or `Value` cannot be decoded from it.
  public init?(persistentBytes: RawSpan) {
    guard let coded = CodedValue(parsing: persistentBytes),
      let value = try? Value(from: CodedDecoder(value: coded, codingPath: []))
    else { return nil }
    self.value = value
    bytes = persistentBytes.copiedBytes()
  }
}
