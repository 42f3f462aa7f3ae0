/// The words of a line, as an inline request has them.
public enum InlineWords {
  /// Splits a line; nil where a quote is not closed, or something follows it at once.
  public static func split(_ line: [UInt8]) -> [String]? {
    var parser = RequestParser()
    return parser.words(of: line)
  }
}
