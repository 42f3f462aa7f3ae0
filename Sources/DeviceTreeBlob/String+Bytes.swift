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

  /// The text of `bytes`. What is not UTF-8 becomes U+FFFD.
  ///
  /// In a kernel, each byte above 127 becomes one U+FFFD if the bytes are not UTF-8. `String(decoding:as:)` would
  /// link 7 KiB, most of it for strings of UTF-16.
  ///
  /// - Complexity: O(*n*), with heap memory.
  package init(repairing bytes: [UInt8]) {
    #if hasFeature(Embedded)
      do throws(Unicode.UTF8.ValidationError) {
        self = String(copying: try UTF8Span(validating: bytes.span))
      } catch {
        var repaired: [UInt8] = []
        for byte in bytes {
          if byte < 0x80 {
            repaired.append(byte)
          } else {
            repaired += [0xef, 0xbf, 0xbd]
          }
        }
        // SAFETY: ASCII, and the three bytes of U+FFFD.
        self = unsafe String(copying: UTF8Span(unchecked: repaired.span))
      }
    #else
      self = String(decoding: bytes, as: UTF8.self)
    #endif
  }
}
