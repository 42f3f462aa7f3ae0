internal import Platform
public import SystemPackage

/// Files that are read whole because they are small or cannot be mapped, as those of debugfs.
public enum SmallFile {
  /// The bytes of the file at `path`, or nil when there are more than `limit`.
  ///
  /// - Throws: `cannotOpen` and `cannotRead` with what the operating system says: open(2), read(2).
  /// - Complexity: O(bytes), at most O(limit).
  public static func read(
    _ path: FilePath, atMost limit: Int
  ) throws(MemoryImageError) -> [UInt8]? {
    try withFile(path) { (file) throws(MemoryImageError) in try read(file, atMost: limit) }
  }

  /// The bytes of standard input up to its end, or `nil` if they are more than `limit`.
  ///
  /// - Throws: `cannotRead` with what the operating system says: read(2).
  /// - Complexity: O(bytes), at most O(limit).
  public static func readStandardInput(atMost limit: Int) throws(MemoryImageError) -> [UInt8]? {
    try read(.standardInput, atMost: limit)
  }

  /// The records of the kernel's log at `path`, `/dev/kmsg`, up to now; at most `limit` bytes.
  ///
  /// - Throws: `cannotOpen` and `cannotRead` with what the operating system says: open(2), read(2).
  /// - Complexity: O(bytes), at most O(limit).
  public static func readLog(
    _ path: FilePath, atMost limit: Int
  ) throws(MemoryImageError) -> [UInt8] {
    try withFile(path, .nonBlocking) { (file) throws(MemoryImageError) in
      var bytes: [UInt8] = []
      while bytes.count <= limit {
        do throws(Errno) {
          // One record of the log, or a piece of a file.
          guard try append(file, atMost: pieceByteCount, to: &bytes) else { break }
        } catch .wouldBlock {
          break
        } catch .brokenPipe {
          // The kernel overwrote the record before it was read; the next one follows.
          continue
        } catch {
          throw .cannotRead(error)
        }
      }
      return bytes
    }
  }

  private static func withFile<Result>(
    _ path: FilePath, _ options: FileDescriptor.OpenOptions = [],
    _ body: (FileDescriptor) throws(MemoryImageError) -> Result
  ) throws(MemoryImageError) -> Result {
    let file: FileDescriptor
    do throws(Errno) {
      file = try SystemCalls.open(path, .readOnly, options: options)
    } catch {
      throw .cannotOpen(error)
    }
    defer { SystemCalls.release(file) }
    return try body(file)
  }

  private static func read(
    _ file: FileDescriptor, atMost limit: Int
  ) throws(MemoryImageError) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      do throws(Errno) {
        // One byte more than is allowed shows that the file has more.
        let byteCount = min(limit - bytes.count, pieceByteCount - 1) + 1
        guard try append(file, atMost: byteCount, to: &bytes) else { return bytes }
      } catch {
        throw .cannotRead(error)
      }
    }
    return nil
  }

  /// The most bytes that are read at once; more than a record of the kernel's log has.
  private static let pieceByteCount = 1 << 16

  /// Appends what one read(2) of `byteCount` bytes gives; false at the end.
  private static func append(
    _ file: FileDescriptor, atMost byteCount: Int, to bytes: inout [UInt8]
  ) throws(Errno) -> Bool {
    let piece = try SystemCalls.read(file, atMost: byteCount)
    bytes += piece
    return !piece.isEmpty
  }
}
