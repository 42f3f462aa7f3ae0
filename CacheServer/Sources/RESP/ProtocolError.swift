/// Why the bytes of a client are not a request. The server closes the connection after it, as Redis does.
public enum ProtocolError: Error, Equatable, Sendable {
  /// An inline request of more than 64 KiB.
  case inlineTooBig
  /// A quote that is not closed, or with something right behind it.
  case unbalancedQuotes
  /// A header of more than 64 KiB that should hold the number of arguments.
  case multibulkCountTooBig
  /// The number of arguments is not a number, or too large.
  case multibulkLengthInvalid
  /// A header of more than 64 KiB that should hold the length of an argument.
  case bulkCountTooBig
  /// Something else than the header of an argument.
  case bulkExpected(got: UInt8)
  /// The length of an argument is not a number, negative, or more than 512 MiB.
  case bulkLengthInvalid
  /// More arguments than a client may send that has not given the password.
  case multibulkLengthOfStranger
  /// A longer argument than a client may send that has not given the password.
  case bulkLengthOfStranger

  /// What Redis says.
  public var words: [UInt8] {
    switch self {
    case .inlineTooBig: Array("too big inline request".utf8)
    case .unbalancedQuotes: Array("unbalanced quotes in request".utf8)
    case .multibulkCountTooBig: Array("too big mbulk count string".utf8)
    case .multibulkLengthInvalid: Array("invalid multibulk length".utf8)
    case .bulkCountTooBig: Array("too big bulk count string".utf8)
    // A line break in an error would be a second reply.
    case .bulkExpected(let byte):
      Array("expected '$', got '".utf8)
        + [byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") ? UInt8(ascii: " ") : byte]
        + Array("'".utf8)
    case .bulkLengthInvalid: Array("invalid bulk length".utf8)
    case .multibulkLengthOfStranger: Array("unauthenticated multibulk length".utf8)
    case .bulkLengthOfStranger: Array("unauthenticated bulk length".utf8)
    }
  }
}
