internal import FoundationEssentials

extension Console {
  /// Prints `value` as JSON, indented, with keys in alphabetical order.
  func printJSON(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      preconditionFailure("a report that cannot be encoded")
    }
    write(Array(data))
    print()
  }
}
