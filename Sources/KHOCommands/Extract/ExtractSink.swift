internal import KexecHandover
internal import SystemPackage

/// Takes what is extracted: a file, or standard output.
struct ExtractSink: ~Copyable {
  private var file: OutputFile?
  private let console: Console
  private var byteCount: UInt64 = 0
  private let zeros = [UInt8](repeating: 0, count: 1 << 16)

  /// Standard output, where `file` is nil.
  init(_ file: consuming OutputFile?) {
    self.file = file
    console = Console.current
  }

  /// Adds bytes.
  ///
  /// - Throws: where the file cannot be written; of standard output, the console tells at the end.
  mutating func write(_ bytes: RawSpan) throws(Errno) {
    if file != nil {
      try file?.write(bytes, at: Int64(byteCount))
    } else {
      console.write(bytes.copiedBytes())
    }
    byteCount += UInt64(bytes.byteCount)
  }

  /// Adds zeros: a hole, in a file.
  mutating func writeZeros(_ count: UInt64) {
    byteCount += count
    guard file == nil else { return }
    var remaining = count
    while remaining > 0, console.isWritable {
      let piece = Int(min(remaining, UInt64(zeros.count)))
      console.write(zeros[..<piece])
      remaining -= UInt64(piece)
    }
  }

  /// Whether somebody still takes the bytes.
  var isWritable: Bool { file != nil || console.isWritable }

  /// Says that all bytes were added.
  consuming func finish() throws(Errno) {
    let count = Int64(byteCount)
    try file?.complete(byteCount: count)
  }
}
