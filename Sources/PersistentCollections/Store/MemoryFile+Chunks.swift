import MemoryAccess
import ProcessHandover
internal import SystemPackage

extension MemoryFile {
  /// The most bytes of one chunk of a copy: 1 MiB.
  static var chunkByteCount: UInt64 { 1 << 20 }

  /// Calls `body` with the bytes that have storage, and their offset in the file, in chunks, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(bytes that are stored); two system calls for each chunk.
  func forEachStoredChunk(
    _ body: (UInt64, RawSpan) throws(Errno) -> Void
  ) throws(Errno) {
    var next = PhysicalAddress.zero
    while let stored = storedRange(atOrAfter: next) {
      let chunk = PhysicalRange(
        start: stored.start, byteCount: min(stored.byteCount, Self.chunkByteCount))
      let offset = chunk.start.rawValue
      _ = try withBytes(in: chunk) { (bytes) throws(Errno) in try body(offset, bytes) }
      guard !chunk.isEmpty else { return }
      next = PhysicalAddress(offset &+ chunk.byteCount)
    }
  }
}
