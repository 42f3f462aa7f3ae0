import MemoryAccess

// A short value in the place of one that is as long is written over it: the log has its few words as
// they were. That spares taking an object, giving another one back, and copying the key.

extension ByteMap where Storage: ~Copyable {
  /// How many words a value may be in. With the metadata, the log has as many words of it as of a value in
  /// another place, so a transaction holds as many values.
  private static var inPlaceWordLimit: Int { 3 }

  /// Whether a value of `byteCount` bytes can be written over the one of `entry`.
  @inline(__always)
  static func fitsInPlace(_ byteCount: Int, of entry: FoundEntry) -> Bool {
    byteCount == entry.header.valueByteCount
      && Int(truncatingIfNeeded: entry.value & 7) &+ byteCount <= inPlaceWordLimit &* 8
  }

  /// Writes a value and metadata over those of an entry.
  ///
  /// - Precondition: ``fitsInPlace(_:of:)``, and a transaction is being made.
  @inline(__always)
  mutating func overwrite(
    _ entry: FoundEntry, metadata: EntryMetadata, _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) {
    try setMetadata(metadata, of: entry, before: self.metadata(of: entry))
    let byteCount = entry.header.valueByteCount
    guard byteCount > 0 else { return }
    let offset = Int(truncatingIfNeeded: entry.value & 7)
    let first = entry.value &- UInt64(truncatingIfNeeded: offset)
    let wordCount = (offset &+ byteCount &+ 7) &>> 3
    // The words around the value keep what is not the value's.
    var words = InlineArray<3, UInt64>(repeating: 0)
    for index in 0..<wordCount { words[index] = arena.load(first &+ UInt64(index &* 8)) }
    let old = words
    do {
      var span = words.mutableSpan
      // SAFETY: any bytes are words.
      var bytes = unsafe span.mutableBytes
      var value = bytes._mutatingExtracting(offset..<(offset &+ byteCount))
      fill(&value)
    }
    for index in 0..<wordCount where words[index] != old[index] {
      try arena.set(words[index], at: first &+ UInt64(index &* 8))
    }
  }
}
