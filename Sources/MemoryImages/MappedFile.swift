internal import Platform
internal import Synchronization
internal import SystemPackage

/// A whole file, mapped read-only for as long as the object lives.
///
/// Nothing is read before it is asked for, and the mapping takes no memory of its own, so the size
/// of the file does not matter. The file must not shrink meanwhile: reading a mapped page that is
/// not in the file any more ends the process (SIGBUS, mmap(2)).
///
/// `@unchecked Sendable`: the mapping is never written, the pointer and the descriptor never change,
/// and the one thing that does is behind a lock.
@safe
@usableFromInline
final class MappedFile: @unchecked Sendable {
  /// The size of the file, at least 1.
  @usableFromInline
  let byteCount: UInt64

  @usableFromInline
  let base: UnsafeRawPointer

  /// Kept open to ask where the holes are.
  let descriptor: FileDescriptor

  /// What was last learned about holes.
  let lastExtent = Mutex(FileExtent(askedFrom: 0, dataStart: 0, dataEnd: 0))

  /// What was read and is not given back yet.
  let finished = Mutex(FinishedPieces())

  /// What the file lacks of what was compressed in it; nil where it lacks nothing, or was not compressed.
  let shortfall: ImageShortfall?

  /// Opens and maps the file at `path`.
  convenience init(opening path: FilePath) throws(MemoryImageError) {
    let descriptor: FileDescriptor
    do throws(Errno) {
      descriptor = try SystemCalls.open(path, .readOnly)
    } catch {
      throw .cannotOpen(error)
    }
    try self.init(taking: descriptor, shortfall: nil)
  }

  /// Maps the open file, and closes it when it is not used any more, at once where that fails.
  init(
    taking descriptor: FileDescriptor, shortfall: ImageShortfall?
  ) throws(MemoryImageError) {
    do throws(MemoryImageError) {
      self.byteCount = try Self.mappableByteCount(of: descriptor)
      // SAFETY: a fresh mapping of the whole file; `deinit` alone unmaps it.
      unsafe self.base = try Self.map(descriptor, byteCount: byteCount)
    } catch {
      SystemCalls.release(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.shortfall = shortfall
  }

  deinit {
    // SAFETY: the lender of the bytes keeps the object alive until they are given back.
    unsafe SystemCalls.unmap(UnsafeMutableRawPointer(mutating: base), byteCount: Int(byteCount))
    SystemCalls.release(descriptor)
  }

  private static func mappableByteCount(
    of descriptor: FileDescriptor
  ) throws(MemoryImageError) -> UInt64 {
    let status: FileStatus
    do throws(Errno) {
      status = try SystemCalls.status(of: descriptor)
    } catch {
      throw .cannotInspect(error)
    }
    switch status.kind {
    case .regular: break
    case .directory: throw .isDirectory
    default: throw .notRegularFile
    }
    guard status.byteCount > 0 else { throw .emptyFile }
    return status.byteCount
  }

  private static func map(
    _ descriptor: FileDescriptor, byteCount: UInt64
  ) throws(MemoryImageError) -> UnsafeRawPointer {
    guard let length = Int(exactly: byteCount) else {
      throw .cannotMap(byteCount: byteCount, .outOfRange)
    }
    do throws(Errno) {
      // SAFETY: a fresh mapping; `deinit` alone unmaps it.
      return unsafe try SystemCalls.mapToRead(descriptor, byteCount: length)
    } catch {
      throw .cannotMap(byteCount: byteCount, error)
    }
  }

  /// Calls `body` with `count` bytes from `offset` on, without copying them; nil when one of them
  /// is not in the file.
  @inlinable
  func withBytes<Result: ~Copyable, Failure: Error>(
    at offset: UInt64, count: UInt64, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard count <= byteCount, offset <= byteCount &- count else { return nil }
    return try withExtendedLifetime(self) { () throws(Failure) -> Result in
      // SAFETY: inside the mapping, which stays as long as `self`.
      let bytes = unsafe UnsafeRawBufferPointer(
        start: base + Int(truncatingIfNeeded: offset), count: Int(truncatingIfNeeded: count))
      return try unsafe body(bytes.bytes)
    }
  }
}

extension MappedFile {
  /// A copy of the bytes of `pieces`, one after the other.
  ///
  /// - Precondition: the pieces are in the file, and hold `byteCount` bytes together.
  @usableFromInline
  func gatheredBytes(of pieces: [Range<UInt64>], byteCount: Int) -> [UInt8] {
    // SAFETY: the buffer has room for `byteCount` bytes; no piece is copied beyond what is left of
    // it, and just as many bytes are declared as were copied.
    unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, copiedCount in
      for piece in pieces {
        precondition(piece.upperBound <= self.byteCount, "piece outside the file")
        let length = piece.count
        precondition(length <= byteCount &- copiedCount, "more bytes than announced")
        let source = unsafe UnsafeRawBufferPointer(
          start: base + Int(piece.lowerBound), count: length)
        unsafe UnsafeMutableRawBufferPointer(buffer)[copiedCount...].copyBytes(from: source)
        copiedCount &+= length
      }
    }
  }

  /// Lets the kernel take back the memory that was used to read `wanted`, together with what was read before; what is
  /// read again comes from the file again.
  ///
  /// The memory goes once ``FinishedPieces/windowLimit`` windows are mapped: all from the first to the last of the
  /// pieces, but for the page that the last one ends in. Where another thread reads between them, it finds its bytes
  /// again.
  func finishedReading(_ wanted: Range<UInt64>) {
    guard !wanted.isEmpty, let read = finished.withLock({ $0.add(wanted) }) else { return }
    let mask = SystemCalls.pageByteCount &- 1
    let start = read.lowerBound & ~mask
    let end = read.upperBound >= byteCount ? byteCount : read.upperBound & ~mask
    guard start < end else { return }
    // SAFETY: inside the mapping; its pages are never written, so nothing is lost.
    unsafe SystemCalls.advise(
      UnsafeMutableRawPointer(mutating: base + Int(start)), byteCount: Int(end &- start),
      .notNeeded)
  }
}
