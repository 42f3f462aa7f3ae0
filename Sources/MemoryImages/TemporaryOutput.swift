internal import Platform
internal import SystemPackage

/// A file that is written under a name of its own beside the one it is to have.
struct TemporaryOutput {
  private let descriptor: FileDescriptor
  private let path: FilePath

  /// Zeros of this many bytes at least become a hole.
  private static let holeByteCount = 4096

  init(for destination: FilePath) throws(CoreFileError) {
    let name = destination.lastComponent?.string ?? "core"
    let mark = String(UInt64.random(in: 0 ... .max), radix: 36)
    path = destination.removingLastComponent().appending(".\(name).\(mark)")
    do throws(Errno) {
      descriptor = try SystemCalls.create(path)
    } catch {
      throw .cannotCreate(error)
    }
  }

  func write(_ bytes: [UInt8], at offset: UInt64) throws(CoreFileError) {
    do throws(Errno) {
      try SystemCalls.write(bytes[...], to: descriptor, at: offset)
    } catch {
      throw .cannotWrite(error)
    }
  }

  /// Writes `bytes` but for the pieces of zeros.
  func writeSparsely(_ bytes: [UInt8], at offset: UInt64) throws(CoreFileError) {
    var start: Int?
    var index = 0
    do throws(Errno) {
      while index < bytes.count {
        let end = min(index &+ Self.holeByteCount, bytes.count)
        let isZero = bytes[index..<end].allSatisfy { $0 == 0 }
        if isZero, let first = start {
          try SystemCalls.write(
            bytes[first..<index], to: descriptor,
            at: offset &+ UInt64(first))
          start = nil
        } else if !isZero, start == nil {
          start = index
        }
        index = end
      }
      if let first = start {
        try SystemCalls.write(
          bytes[first...], to: descriptor, at: offset &+ UInt64(first))
      }
    } catch {
      throw .cannotWrite(error)
    }
  }

  func setByteCount(_ byteCount: UInt64) throws(CoreFileError) {
    do throws(Errno) {
      try SystemCalls.resize(descriptor, to: byteCount)
    } catch {
      throw .cannotWrite(error)
    }
  }

  /// Closes the file and gives it its name.
  func finish(as destination: FilePath, replacing: Bool) throws(CoreFileError) {
    do throws(Errno) {
      try SystemCalls.synchronize(descriptor)
    } catch {
      throw .cannotWrite(error)
    }
    do throws(Errno) {
      if replacing {
        try SystemCalls.rename(path, to: destination)
      } else {
        // A new name never replaces a file; the old one goes afterwards.
        try SystemCalls.link(path: path, to: destination)
        try? SystemCalls.unlink(path)
      }
    } catch {
      throw error == .fileExists ? .exists : .cannotRename(error)
    }
    SystemCalls.release(descriptor)
  }

  /// Closes and removes the file.
  func discard() {
    try? SystemCalls.unlink(path)
    SystemCalls.release(descriptor)
  }
}
