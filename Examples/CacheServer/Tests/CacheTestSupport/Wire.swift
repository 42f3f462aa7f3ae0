/// Requests and replies as bytes.
package enum Wire {
  /// A request as clients send it.
  package static func request(_ words: [[UInt8]]) -> [UInt8] {
    var bytes = Array("*\(words.count)\r\n".utf8)
    for word in words {
      bytes += Array("$\(word.count)\r\n".utf8) + word + [0x0d, 0x0a]
    }
    return bytes
  }

  /// A request as clients send it.
  package static func request(_ words: String...) -> [UInt8] {
    request(words.map { Array($0.utf8) })
  }

  /// A string as servers send it.
  package static func bulk(_ bytes: [UInt8]) -> [UInt8] {
    Array("$\(bytes.count)\r\n".utf8) + bytes + [0x0d, 0x0a]
  }

  /// Bytes for a message: line breaks as `\r\n`.
  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map {
      switch $0 {
      case 0x0d: "\\r"
      case 0x0a: "\\n"
      case 0x20...0x7e: String(UnicodeScalar($0))
      default: "\\x" + (($0 < 16) ? "0" : "") + String($0, radix: 16)
      }
    }.joined()
  }
}
