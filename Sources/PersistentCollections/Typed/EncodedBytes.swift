public import MemoryAccess

extension PersistentElement {
  /// Calls `body` with the bytes of the value: those of a string as they are, those of other small values
  /// from the stack.
  ///
  /// The compiler makes code of it for each type. An array for the bytes of each key would take as long as
  /// finding the key.
  @inlinable
  func withPersistentBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if let text = self as? String {
      // SAFETY: a byte has no padding that could be read.
      return try body(unsafe text.utf8.span.bytes)
    }
    let byteCount = persistentByteCount
    guard byteCount <= 64 else { return try encodedBytes.withRawSpan(body) }
    var buffer = InlineArray<8, UInt64>(repeating: 0)
    do {
      var words = buffer.mutableSpan
      // SAFETY: any byte may be written to a word.
      var bytes = unsafe words.mutableBytes
      write(to: &bytes)
    }
    // SAFETY: a word has no padding that could be read.
    return try body(unsafe buffer.span.bytes.extracting(0..<byteCount))
  }

  /// The bytes of the value.
  @usableFromInline
  var encodedBytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: persistentByteCount)
    var span = bytes.mutableSpan
    // SAFETY: any byte may be written to a byte.
    var rawSpan = unsafe span.mutableBytes
    write(to: &rawSpan)
    return bytes
  }
}
