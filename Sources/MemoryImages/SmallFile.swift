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
    let file: FileDescriptor
    do throws(Errno) {
      file = try SystemCalls.open(path, .readOnly)
    } catch {
      throw .cannotOpen(error)
    }
    defer { SystemCalls.release(file) }
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      do throws(Errno) {
        let piece = try SystemCalls.read(file, atMost: 1 << 16)
        if piece.isEmpty { return bytes }
        bytes += piece
      } catch {
        throw .cannotRead(error)
      }
    }
    return nil
  }

  /// The records of the kernel's log at `path`, `/dev/kmsg`, up to now; at most `limit` bytes.
  ///
  /// - Throws: `cannotOpen` and `cannotRead` with what the operating system says: open(2), read(2).
  public static func readLog(
    _ path: FilePath, atMost limit: Int
  ) throws(MemoryImageError) -> [UInt8] {
    let file: FileDescriptor
    do throws(Errno) {
      file = try SystemCalls.open(path, .readOnly, options: [.nonBlocking])
    } catch {
      throw .cannotOpen(error)
    }
    defer { SystemCalls.release(file) }
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      do throws(Errno) {
        // One record of the log, or a piece of a file.
        let piece = try SystemCalls.read(file, atMost: 1 << 16)
        if piece.isEmpty { break }
        bytes += piece
      } catch .wouldBlock {
        break
      } catch .brokenPipe {
        // The record was overwritten before it was read; the next one follows.
        continue
      } catch {
        throw .cannotRead(error)
      }
    }
    return bytes
  }
}
