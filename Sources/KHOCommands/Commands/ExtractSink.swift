internal import KexecHandover
internal import Platform

/// Takes what is extracted: a file, or standard output.
struct ExtractSink: ~Copyable {
  private var file: OutputFile?
  private let console: Console
  private var byteCount: UInt64 = 0
  /// The last bytes that were added, which go to the file together.
  private var pending: [UInt8] = []
  private let zeros = [UInt8](repeating: 0, count: 1 << 16)

  /// How many bytes are written together, at least: the folios of a file may be single pages.
  private static let writtenByteCount = 1 << 20

  /// Standard output, where `file` is nil.
  init(_ file: consuming OutputFile?) {
    self.file = file
    console = Console.current
  }

  /// Adds bytes.
  ///
  /// - Throws: `OutputFileError` if the file cannot be written; the console reports a failure of standard output at the end.
  mutating func write(_ bytes: RawSpan) throws(OutputFileError) {
    if file != nil {
      try gather(bytes)
    } else {
      console.write(bytes.copiedBytes())
      byteCount += UInt64(bytes.byteCount)
    }
  }

  /// Writes long bytes as they are, and shorter ones when there are enough of them.
  private mutating func gather(_ bytes: RawSpan) throws(OutputFileError) {
    if bytes.byteCount >= Self.writtenByteCount {
      try flush()
      try file?.write(bytes)
      byteCount += UInt64(bytes.byteCount)
      return
    }
    // SAFETY: the bytes are copied while the span is valid.
    unsafe bytes.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
    byteCount += UInt64(bytes.byteCount)
    if pending.count >= Self.writtenByteCount { try flush() }
  }

  /// Writes what was added last, up to where the file has come.
  private mutating func flush() throws(OutputFileError) {
    guard !pending.isEmpty else { return }
    let bytes = pending
    try file?.write(bytes)
    pending.removeAll(keepingCapacity: true)
  }

  /// Adds zeros: a hole, in a file.
  ///
  /// - Throws: as ``write(_:)``.
  mutating func writeZeros(_ count: UInt64) throws(OutputFileError) {
    try flush()
    byteCount += count
    guard file == nil else {
      try file?.writeZeros(count)
      return
    }
    var remaining = count
    while remaining > 0, console.isWritable {
      let piece = Int(min(remaining, UInt64(zeros.count)))
      console.write(zeros[..<piece])
      remaining -= UInt64(piece)
    }
  }

  /// Whether the output still takes bytes.
  var isWritable: Bool { file != nil || console.isWritable }

  /// Says that all bytes were added.
  consuming func finish() throws(OutputFileError) {
    try flush()
    if let file = file.take() { try file.finish() }
  }
}
