/// Builds the tree of a value that encodes itself.
final class CodedEncoder: Encoder {
  let codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]
  let node: Node

  /// A part of the tree while it is built.
  final class Node {
    enum Content {
      case value(CodedValue)
      case array([Node])
      case object([(key: String, node: Node)])
    }

    var content = Content.value(.null)
    /// Where each member of an object is.
    private var places: [String: Int] = [:]

    /// A new node for the member called `key` of an object; an earlier one of that name is replaced.
    func member(_ key: String) -> Node {
      let child = Node()
      guard case .object(var members) = content else { return child }
      // The array is changed in place: nothing else refers to it.
      content = .value(.null)
      if let place = places[key] {
        members[place].node = child
      } else {
        places[key] = members.count
        members.append((key, child))
      }
      content = .object(members)
      return child
    }

    /// A new node behind the elements of an array.
    func element() -> Node {
      let child = Node()
      guard case .array(var nodes) = content else { return child }
      content = .value(.null)
      nodes.append(child)
      content = .array(nodes)
      return child
    }

    /// The tree below.
    var value: CodedValue {
      switch content {
      case .value(let value): value
      case .array(let nodes): .array(nodes.map(\.value))
      case .object(let members): .object(members.map { ($0.key, $0.node.value) })
      }
    }
  }

  init(codingPath: [any CodingKey], node: Node = Node()) {
    self.codingPath = codingPath
    self.node = node
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Keyed<Key>(codingPath, node))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(codingPath, node) }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    Single(codingPath: codingPath, node: node)
  }

  static func tooDeep(_ value: Any, _ codingPath: [any CodingKey]) -> EncodingError {
    .invalidValue(
      value,
      EncodingError.Context(
        codingPath: codingPath,
        debugDescription: "values are nested deeper than \(CodedValue.depthLimit)"))
  }

  /// Encodes a value into a node.
  fileprivate static func encode(
    _ value: some Encodable, to node: Node, _ codingPath: [any CodingKey]
  ) throws {
    guard codingPath.count < CodedValue.depthLimit else { throw tooDeep(value, codingPath) }
    try value.encode(to: CodedEncoder(codingPath: codingPath, node: node))
  }
}

/// The members of an object.
private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let codingPath: [any CodingKey]
  private let node: CodedEncoder.Node

  init(_ codingPath: [any CodingKey], _ node: CodedEncoder.Node) {
    self.codingPath = codingPath
    self.node = node
    // A class and its superclass may both ask for the container.
    if case .object = node.content { return }
    node.content = .object([])
  }

  private func add(_ key: any CodingKey) -> CodedEncoder.Node { node.member(key.stringValue) }

  func encodeNil(forKey key: Key) { _ = add(key) }
  func encode(_ value: some Encodable, forKey key: Key) throws {
    try CodedEncoder.encode(value, to: add(key), codingPath + [key])
  }
  func encode(_ value: Bool, forKey key: Key) { add(key).content = .value(.bool(value)) }
  func encode(_ value: String, forKey key: Key) { add(key).content = .value(.string(value)) }
  func encode(_ value: Double, forKey key: Key) { add(key).content = .value(.double(value)) }
  func encode(_ value: Float, forKey key: Key) { add(key).content = .value(.float(value)) }
  func encode(_ value: Int, forKey key: Key) { add(key).content = .value(.signed(Int64(value))) }
  func encode(_ value: Int8, forKey key: Key) { add(key).content = .value(.signed(Int64(value))) }
  func encode(_ value: Int16, forKey key: Key) { add(key).content = .value(.signed(Int64(value))) }
  func encode(_ value: Int32, forKey key: Key) { add(key).content = .value(.signed(Int64(value))) }
  func encode(_ value: Int64, forKey key: Key) { add(key).content = .value(.signed(value)) }
  func encode(_ value: UInt, forKey key: Key) {
    add(key).content = .value(.unsigned(UInt64(value)))
  }
  func encode(_ value: UInt8, forKey key: Key) {
    add(key).content = .value(.unsigned(UInt64(value)))
  }
  func encode(_ value: UInt16, forKey key: Key) {
    add(key).content = .value(.unsigned(UInt64(value)))
  }
  func encode(_ value: UInt32, forKey key: Key) {
    add(key).content = .value(.unsigned(UInt64(value)))
  }
  func encode(_ value: UInt64, forKey key: Key) { add(key).content = .value(.unsigned(value)) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(Keyed<Nested>(codingPath + [key], add(key)))
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    Unkeyed(codingPath + [key], add(key))
  }

  func superEncoder() -> any Encoder { superEncoder(for: SuperKey()) }
  func superEncoder(forKey key: Key) -> any Encoder { superEncoder(for: key) }

  private func superEncoder(for key: any CodingKey) -> any Encoder {
    CodedEncoder(codingPath: codingPath + [key], node: add(key))
  }
}

/// The elements of an array.
private struct Unkeyed: UnkeyedEncodingContainer {
  let codingPath: [any CodingKey]
  private let node: CodedEncoder.Node

  init(_ codingPath: [any CodingKey], _ node: CodedEncoder.Node) {
    self.codingPath = codingPath
    self.node = node
    if case .array = node.content { return }
    node.content = .array([])
  }

  var count: Int {
    if case .array(let nodes) = node.content { nodes.count } else { 0 }
  }

  private func add() -> CodedEncoder.Node { node.element() }
  /// The path of the next element.
  private var nextPath: [any CodingKey] { codingPath + [IndexKey(count)] }

  func encodeNil() { _ = add() }
  func encode(_ value: some Encodable) throws {
    let path = nextPath
    try CodedEncoder.encode(value, to: add(), path)
  }
  func encode(_ value: Bool) { add().content = .value(.bool(value)) }
  func encode(_ value: String) { add().content = .value(.string(value)) }
  func encode(_ value: Double) { add().content = .value(.double(value)) }
  func encode(_ value: Float) { add().content = .value(.float(value)) }
  func encode(_ value: Int) { add().content = .value(.signed(Int64(value))) }
  func encode(_ value: Int8) { add().content = .value(.signed(Int64(value))) }
  func encode(_ value: Int16) { add().content = .value(.signed(Int64(value))) }
  func encode(_ value: Int32) { add().content = .value(.signed(Int64(value))) }
  func encode(_ value: Int64) { add().content = .value(.signed(value)) }
  func encode(_ value: UInt) { add().content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt8) { add().content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt16) { add().content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt32) { add().content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt64) { add().content = .value(.unsigned(value)) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(Keyed<Nested>(nextPath, add()))
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    Unkeyed(nextPath, add())
  }

  func superEncoder() -> any Encoder {
    CodedEncoder(codingPath: nextPath, node: add())
  }
}

/// One value.
private struct Single: SingleValueEncodingContainer {
  let codingPath: [any CodingKey]
  let node: CodedEncoder.Node

  func encodeNil() { node.content = .value(.null) }
  func encode(_ value: some Encodable) throws {
    try CodedEncoder.encode(value, to: node, codingPath)
  }
  func encode(_ value: Bool) { node.content = .value(.bool(value)) }
  func encode(_ value: String) { node.content = .value(.string(value)) }
  func encode(_ value: Double) { node.content = .value(.double(value)) }
  func encode(_ value: Float) { node.content = .value(.float(value)) }
  func encode(_ value: Int) { node.content = .value(.signed(Int64(value))) }
  func encode(_ value: Int8) { node.content = .value(.signed(Int64(value))) }
  func encode(_ value: Int16) { node.content = .value(.signed(Int64(value))) }
  func encode(_ value: Int32) { node.content = .value(.signed(Int64(value))) }
  func encode(_ value: Int64) { node.content = .value(.signed(value)) }
  func encode(_ value: UInt) { node.content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt8) { node.content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt16) { node.content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt32) { node.content = .value(.unsigned(UInt64(value))) }
  func encode(_ value: UInt64) { node.content = .value(.unsigned(value)) }
}
