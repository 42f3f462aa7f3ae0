public import SystemPackage

/// Bytes that are placed into a forged handover.
@nonexhaustive
public enum ForgeContents: Sendable {
  /// These.
  case bytes([UInt8])
  /// Those of a file, of which so many are read.
  case file(FilePath, byteCount: UInt64)

  /// All of a file.
  ///
  /// - Throws: ``ForgeError/cannotRead(_:_:)``.
  public init(file path: FilePath) throws(ForgeError) {
    do {
      let file = try FileDescriptor.open(path, .readOnly)
      let size = try file.closeAfter { try file.seek(offset: 0, from: .end) }
      self = .file(path, byteCount: UInt64(max(size, 0)))
    } catch {
      throw .cannotRead(path, error as? Errno ?? .ioError)
    }
  }

  /// How many there are.
  public var byteCount: UInt64 {
    switch self {
    case .bytes(let bytes): UInt64(bytes.count)
    case .file(_, let byteCount): byteCount
    }
  }

  /// Calls `body` with each piece of the bytes, and where it begins among them.
  func forEachPiece(
    of pieceByteCount: Int = 1 << 20, _ body: (RawSpan, UInt64) throws(ForgeError) -> Void
  ) throws(ForgeError) {
    switch self {
    case .bytes(let bytes):
      // SAFETY: bytes, of which each is a value.
      try unsafe body(bytes.span.bytes, 0)
    case .file(let path, let byteCount):
      let file = try Self.opened(path)
      defer { try? file.close() }
      var buffer = [UInt8](repeating: 0, count: pieceByteCount)
      var offset: UInt64 = 0
      while offset < byteCount {
        let wanted = Int(min(byteCount - offset, UInt64(pieceByteCount)))
        let count: Int
        do {
          // SAFETY: the piece is within the buffer.
          count = try unsafe buffer.withUnsafeMutableBytes { bytes in
            try unsafe file.read(
              fromAbsoluteOffset: Int64(offset),
              into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]))
          }
        } catch {
          throw .cannotRead(path, error as? Errno ?? .ioError)
        }
        guard count > 0 else { throw .fileBecameShorter(path) }
        // SAFETY: bytes, of which each is a value.
        try unsafe body(buffer.span.bytes.extracting(first: count), offset)
        offset += UInt64(count)
      }
    }
  }

  private static func opened(_ path: FilePath) throws(ForgeError) -> FileDescriptor {
    do { return try FileDescriptor.open(path, .readOnly) } catch {
      throw .cannotRead(path, error as? Errno ?? .ioError)
    }
  }
}
