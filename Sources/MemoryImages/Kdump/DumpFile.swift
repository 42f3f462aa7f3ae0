internal import MemoryAccess

/// The bytes of a dump file, as they would be on a disk that can be written anywhere: those of the
/// file, or, of a flattened dump, what its pieces make up.
struct DumpFile: Sendable {
  let file: MappedFile
  /// The pieces; nil of a file that is not flattened.
  let layout: FlattenedLayout?

  /// A dump that is not flattened.
  init(_ file: MappedFile) {
    self.file = file
    layout = nil
  }

  /// A flattened dump.
  init(flattened file: MappedFile) throws(KdumpError) {
    self.file = file
    layout = try FlattenedLayout(of: file)
  }

  /// The size in bytes.
  var byteCount: UInt64 { layout?.byteCount ?? file.byteCount }

  /// Calls `body` with `count` bytes from `offset` on; nil when one of them is behind the end.
  ///
  /// - Complexity: O(1) where they are in one place; otherwise they are copied together.
  func withBytes<Result, Failure: Error>(
    at offset: UInt64, count: UInt64, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let layout else { return try file.withBytes(at: offset, count: count, body) }
    guard count <= layout.byteCount, offset <= layout.byteCount &- count else { return nil }
    let place = layout.place(of: offset, in: file)
    if let place, count <= place.byteCount {
      return try file.withBytes(at: place.fileOffset, count: count, body)
    }
    return try layout.copiedBytes(at: offset, count: count, in: file).withRawSpan(body)
  }

  /// A copy of `count` bytes from `offset` on; fewer, or none, where the file ends earlier.
  func copiedBytes(at offset: UInt64, count: UInt64) -> [UInt8] {
    guard offset < byteCount else { return [] }
    return withBytes(at: offset, count: min(count, byteCount &- offset)) { $0.copiedBytes() } ?? []
  }

  /// The first run of bytes at or after `offset` that are not a hole, cut to start no earlier; nil when
  /// only holes follow.
  func storedBytes(atOrAfter offset: UInt64) -> Range<UInt64>? {
    guard let layout else { return file.storedBytes(atOrAfter: offset) }
    return layout.storedBytes(atOrAfter: offset)
  }

  /// Lets the kernel take back the memory that was used to read `wanted`.
  func finishedReading(_ wanted: Range<UInt64>) {
    if layout == nil { file.finishedReading(wanted) }
  }
}
