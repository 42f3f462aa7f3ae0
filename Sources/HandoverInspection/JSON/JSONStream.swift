/// Writes a JSON document piece by piece, laid out as ``JSONValue/text(isPretty:)`` does, so that memory does not
/// grow with it.
///
/// - Precondition: each object and array that begins ends, the last one begun first.
struct JSONStream {
  private static let pieceByteCount = 1 << 15

  private let write: (String) -> Bool
  private var text = ""
  /// What precedes each line.
  private var indent = ""
  /// Whether the object or array that is being written has nothing yet.
  private var isEmpty = true
  /// False once nothing more is taken.
  private(set) var takesMore = true

  /// - Parameter write: takes a piece of the document, and returns false if it takes no more.
  init(to write: @escaping (String) -> Bool) {
    self.write = write
  }

  /// Begins an object: a member called `name`, or an element.
  mutating func beginObject(_ name: String? = nil) { begin("{", name) }

  mutating func endObject() { end("}") }

  /// Begins an array: a member called `name`, or an element.
  mutating func beginArray(_ name: String? = nil) { begin("[", name) }

  mutating func endArray() { end("]") }

  /// Adds a member to the object.
  mutating func add(_ name: String, _ value: some JSONConvertible) {
    beginPart(name)
    value.json.append(to: &text, indent: indent)
  }

  /// Adds members to the object.
  mutating func add(_ members: [JSONValue.Member]) {
    for member in members { add(member.name, member.value) }
  }

  /// Adds an element to the array, on one line.
  mutating func addLine(_ value: JSONValue) {
    beginPart(nil)
    value.append(to: &text, indent: nil)
  }

  /// Writes what is left.
  mutating func finish() {
    if takesMore { takesMore = write(text) }
    text = ""
  }

  private mutating func begin(_ bracket: String, _ name: String?) {
    beginPart(name)
    text += bracket
    indent += "  "
    isEmpty = true
  }

  private mutating func end(_ bracket: String) {
    indent.removeLast(2)
    if !isEmpty { text += "\n" + indent }
    text += bracket
    isEmpty = false
  }

  private mutating func beginPart(_ name: String?) {
    if text.utf8.count >= Self.pieceByteCount { finish() }
    if !indent.isEmpty {
      if !isEmpty { text += "," }
      text += "\n" + indent
    }
    isEmpty = false
    guard let name else { return }
    JSONValue.append(name, to: &text)
    text += ": "
  }
}
