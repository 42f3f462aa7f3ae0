internal import MemoryAccess

/// How a whole file of any length can be compressed.
@nonexhaustive
public enum StreamCompression: Hashable, Sendable, CaseIterable {
  case gzip
  case zstd
  case xz

  /// The most bytes that a match may reach back: 128 MiB, as the commands `zstd` and `xz` allow without
  /// an option. A decoder takes up to twice as much memory, and no more, however long the output is.
  public static let largestWindowByteCount: UInt64 = 128 << 20

  /// The compression of a file that begins with `bytes`, of which six are looked at; nil of any other.
  public init?(startingWith bytes: [UInt8]) {
    if bytes.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else if bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
      || (bytes.count >= 4 && bytes[0] & 0xf0 == 0x50 && bytes[1...3] == [0x2a, 0x4d, 0x18])
    {
      self = .zstd
    } else if bytes.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) {
      self = .xz
    } else {
      return nil
    }
  }

  /// Decompresses all of `input`, and gives the output to `receiver` in pieces of up to some MiB, which
  /// returns whether it wants more.
  ///
  /// - Throws: ``DecompressionError`` for the rule that the input breaks, after the pieces before it;
  ///   ``DecompressionError/stopped`` where the receiver wanted no more.
  /// - Complexity: O(input + output) time; memory as ``largestWindowByteCount`` says.
  public func decompress(
    _ input: RawSpan, to receiver: @escaping (RawSpan) -> Bool
  ) throws(DecompressionError) {
    let windowByteCount =
      switch self {
      case .gzip: GzipFile.windowByteCount
      case .zstd: try ZstdFrames.windowByteCount(of: input)
      case .xz: try XZFile.windowByteCount(of: input)
      }
    var output = DecodedOutput(
      limit: .max, windowByteCount: windowByteCount, receiver: receiver)
    do throws(DecompressionError) {
      switch self {
      case .gzip: try GzipFile.decode(input, into: &output)
      case .zstd: try ZstdFrames.decode(input, into: &output)
      case .xz: try XZFile.decode(input, into: &output)
      }
    } catch {
      // What was decoded before the fault is worth having.
      if error != .stopped { try output.handOut() }
      throw error
    }
    try output.handOut()
  }

  /// The command that decompresses such a file.
  public var command: String {
    switch self {
    case .gzip: "gunzip"
    case .zstd: "zstd -d"
    case .xz: "xz -d"
    }
  }
}

extension StreamCompression: CustomStringConvertible {
  /// The name of the format.
  public var description: String {
    switch self {
    case .gzip: "gzip"
    case .zstd: "zstd"
    case .xz: "xz"
    }
  }
}
