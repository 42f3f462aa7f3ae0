internal import TrialSupport

/// Requests and replies as bytes.
package enum Wire {
  /// A request as clients send it.
  package static func request(_ words: [[UInt8]]) -> [UInt8] { requestBytes(words) }

  /// A request as clients send it.
  package static func request(_ words: String...) -> [UInt8] {
    request(words.map { Array($0.utf8) })
  }

  /// A string as servers send it.
  package static func bulk(_ bytes: [UInt8]) -> [UInt8] {
    Array("$\(bytes.count)\r\n".utf8) + bytes + [0x0d, 0x0a]
  }

  /// Bytes for a message, all of them: line breaks as `\r\n`.
  package static func text(_ bytes: some Collection<UInt8>) -> String {
    readable(bytes, limit: .max)
  }
}
