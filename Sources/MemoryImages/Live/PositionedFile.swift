internal import MemoryAccess
internal import Platform
internal import Synchronization
internal import SystemPackage

/// A file that cannot be mapped, read with pread(2): /proc/kcore and /dev/mem.
///
/// A few pieces of it are kept, so that reading a page word by word takes one call.
final class PositionedFile: FileBytes, Sendable {
  private let descriptor: FileDescriptor

  private static let pieceByteCount: UInt64 = 4096
  private static let keptCount = 64

  /// Pieces by their place; each slot holds the last that fell into it.
  private let kept = Mutex<[(offset: UInt64, bytes: [UInt8])?]>(
    Array(repeating: nil, count: keptCount))

  init(opening path: FilePath) throws(Errno) {
    descriptor = try SystemCalls.open(path, .readOnly)
  }

  deinit { SystemCalls.release(descriptor) }

  var byteCount: UInt64 { .max }

  func copiedBytes(at offset: UInt64, count: UInt64) -> [UInt8] {
    (try? SystemCalls.read(descriptor, at: offset, atMost: Int(count))) ?? []
  }

  /// Fills `bytes` from `offset` on, and gives how many could be read.
  func read(at offset: UInt64, into bytes: inout [UInt8]) -> UInt64 {
    UInt64(SystemCalls.read(descriptor, at: offset, into: &bytes).count)
  }

  /// A copy of `count` bytes from `offset` on; nil when one of them cannot be read.
  func bytes(at offset: UInt64, count: Int) -> [UInt8]? {
    let start = offset % Self.pieceByteCount
    guard start &+ UInt64(count) <= Self.pieceByteCount else {
      let bytes = try? SystemCalls.read(descriptor, at: offset, atMost: count)
      return bytes?.count == count ? bytes : nil
    }
    let place = offset &- start
    let slot = Int(place / Self.pieceByteCount % UInt64(Self.keptCount))
    if let piece = kept.withLock({ $0[slot] }), piece.offset == place {
      return slice(piece.bytes, Int(start), count)
    }
    let piece = try? SystemCalls.read(descriptor, at: place, atMost: Int(Self.pieceByteCount))
    guard let piece, piece.count >= Int(start) &+ count else {
      // The memory around may not be readable where the bytes themselves are.
      let bytes = try? SystemCalls.read(descriptor, at: offset, atMost: count)
      return bytes?.count == count ? bytes : nil
    }
    kept.withLock { $0[slot] = (place, piece) }
    return slice(piece, Int(start), count)
  }

  private func slice(_ bytes: [UInt8], _ start: Int, _ count: Int) -> [UInt8]? {
    guard bytes.count >= start &+ count else { return nil }
    return Array(bytes[start..<start &+ count])
  }
}
