extension PersistentElement {
  /// The bytes of the value.
  var encodedBytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: persistentByteCount)
    var span = bytes.mutableSpan
    // SAFETY: any byte may be written to a byte.
    var rawSpan = unsafe span.mutableBytes
    write(to: &rawSpan)
    return bytes
  }
}
