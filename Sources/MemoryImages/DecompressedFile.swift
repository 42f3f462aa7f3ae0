internal import Decompression
internal import MemoryAccess
internal import Platform
internal import SystemPackage

/// A file without a name that takes what a compressed file gives: on disk where there is a place for it,
/// otherwise in memory.
///
/// Pages of zeros become holes. No more is stored than the file system has room for, less a reserve.
final class DecompressedFile {
  /// Where the file is made, in this order.
  private static let folders: [FilePath] = ["/var/tmp", "/tmp", "/dev/shm"]
  /// What stays free of the file system, as a part of what is free: 1/16.
  private static let reserveShift: UInt64 = 4

  private let descriptor: FileDescriptor
  private var byteCount: UInt64 = 0
  /// How many more bytes may be stored.
  private var roomByteCount: UInt64
  private var failure: MemoryImageError?

  private init(_ descriptor: FileDescriptor, roomByteCount: UInt64) {
    self.descriptor = descriptor
    self.roomByteCount = roomByteCount
  }

  /// Decompresses `file` into a file without a name, and maps that.
  ///
  /// A stream that is damaged or ends early gives what comes before; ``MappedFile/shortfall`` says so.
  ///
  /// - Throws: `cannotDecompress` where the stream gives nothing; `decompressedTooLarge` where the file
  ///   system has no room; `cannotCreateTemporary`, `cannotWriteTemporary`.
  static func decompress(
    _ file: MappedFile, _ compression: StreamCompression
  ) throws(MemoryImageError) -> MappedFile {
    let output = try create()
    var fault: DecompressionError?
    let result = file.withBytes(at: 0, count: file.byteCount) { input -> DecompressionError? in
      do throws(DecompressionError) {
        try compression.decompress(input) { output.append($0) }
        return nil
      } catch {
        return error
      }
    }
    fault = result ?? nil
    do throws(MemoryImageError) {
      if let failure = output.failure { throw failure }
      guard output.byteCount > 0 else {
        throw fault.map { .cannotDecompress(compression, $0) } ?? .emptyFile
      }
      // What no match can reach is not part of a stream that can be used at all.
      if case .windowTooLarge = fault, let fault { throw .cannotDecompress(compression, fault) }
      try output.finish()
    } catch {
      SystemCalls.release(output.descriptor)
      throw error
    }
    file.finishedReading(0..<file.byteCount)
    return try MappedFile(
      taking: output.descriptor,
      shortfall: fault.map { ImageShortfall(.streamDamaged(compression, $0)) })
  }

  private static func create() throws(MemoryImageError) -> DecompressedFile {
    var failure = Errno.noSuchFileOrDirectory
    for folder in folders {
      do throws(Errno) {
        let descriptor = try SystemCalls.openUnnamed(in: folder)
        let free = (try? SystemCalls.freeByteCount(of: descriptor)) ?? 0
        return DecompressedFile(descriptor, roomByteCount: free &- free >> reserveShift)
      } catch {
        failure = error
      }
    }
    throw .cannotCreateTemporary(failure)
  }

  /// Stores `bytes`, but for whole pages of zeros; returns whether more can be stored.
  private func append(_ bytes: RawSpan) -> Bool {
    var start = 0
    while start < bytes.byteCount {
      // Up to the next multiple of a page of the file.
      let end = min(bytes.byteCount, start &+ 4096 &- Int(byteCount & 4095))
      let page = bytes.extracting(start..<end)
      if page.isZero {
        byteCount &+= UInt64(page.byteCount)
        start = end
        continue
      }
      // As many pages as follow that are not zeros, at once.
      var last = end
      while last < bytes.byteCount {
        let next = min(bytes.byteCount, last &+ 4096)
        if bytes.extracting(last..<next).isZero { break }
        last = next
      }
      guard store(bytes.extracting(start..<last)) else { return false }
      start = last
    }
    return true
  }

  private func store(_ bytes: RawSpan) -> Bool {
    guard UInt64(bytes.byteCount) <= roomByteCount else {
      failure = .decompressedTooLarge(storedByteCount: byteCount)
      return false
    }
    do throws(Errno) {
      try SystemCalls.write(bytes, to: descriptor, at: byteCount)
    } catch {
      failure = .cannotWriteTemporary(error)
      return false
    }
    roomByteCount &-= UInt64(bytes.byteCount)
    byteCount &+= UInt64(bytes.byteCount)
    return true
  }

  private func finish() throws(MemoryImageError) {
    do throws(Errno) {
      try SystemCalls.resize(descriptor, to: byteCount)
    } catch {
      throw .cannotWriteTemporary(error)
    }
  }
}

extension RawSpan {
  /// Whether all bytes are 0.
  fileprivate var isZero: Bool {
    var offset = 0
    while let word = plainWord(atByte: offset) {
      guard word == 0 else { return false }
      offset &+= 8
    }
    while let byte = byte(at: offset) {
      guard byte == 0 else { return false }
      offset &+= 1
    }
    return true
  }
}
