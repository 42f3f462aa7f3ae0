/// A command as the protocol writes it: an array of strings.
public func requestBytes(_ words: [[UInt8]]) -> [UInt8] {
  var bytes: [UInt8] = []
  appendRequest(words, to: &bytes)
  return bytes
}

/// The same, of text.
public func requestBytes(_ words: String...) -> [UInt8] {
  requestBytes(words.map { Array($0.utf8) })
}

/// Adds a command to others.
public func appendRequest(_ words: [[UInt8]], to bytes: inout [UInt8]) {
  bytes.append(contentsOf: "*\(words.count)\r\n".utf8)
  for word in words {
    bytes.append(contentsOf: "$\(word.count)\r\n".utf8)
    bytes.append(contentsOf: word)
    bytes.append(contentsOf: "\r\n".utf8)
  }
}

/// Bytes as a person reads them: letters as they are, others as `\xHH`, cut short where long.
public func readable(_ bytes: some Collection<UInt8>, limit: Int = 160) -> String {
  var text = ""
  for byte in bytes.prefix(limit) {
    switch byte {
    case UInt8(ascii: "\r"): text += "\\r"
    case UInt8(ascii: "\n"): text += "\\n"
    case UInt8(ascii: "\\"): text += "\\\\"
    case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
    default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
  return bytes.count > limit ? text + "… (\(bytes.count) bytes)" : text
}
