extension String {
  /// Whether both strings have the same UTF-8 bytes.
  ///
  /// Names in these formats are bytes. `==` compares by canonical equivalence, for which a freestanding
  /// program would carry 33 KiB of Unicode tables.
  package func hasBytes(of other: String) -> Bool {
    // Spans: a loop over `utf8` links the code for strings of UTF-16 as well.
    let (mine, others) = (utf8Span.span, other.utf8Span.span)
    guard mine.count == others.count else { return false }
    for index in mine.indices where mine[index] != others[index] { return false }
    return true
  }
}
