package import KexecHandover

extension Console {
  /// Prints a document, indented.
  package func printJSON(_ value: JSONValue) { print(value.text()) }

  /// Adds `value` on one line, in the middle of a larger piece.
  func writeJSON(_ value: JSONValue) { write(value.text(isPretty: false)) }
}
