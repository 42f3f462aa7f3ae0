/// The place of an argument in the bytes that a client sent.
public struct ArgumentRange: Equatable, Sendable {
  /// The offset of the first byte.
  public let start: UInt32
  /// The number of bytes.
  public let byteCount: UInt32

  /// The bytes from `start` on.
  ///
  /// - Precondition: neither number is negative or beyond 32 bits.
  public init(start: Int, byteCount: Int) {
    self.start = UInt32(start)
    self.byteCount = UInt32(byteCount)
  }

  /// The place of the argument after the first `byteCount` bytes were removed.
  func moved(forward byteCount: Int) -> ArgumentRange {
    ArgumentRange(start: Int(start) - byteCount, byteCount: Int(self.byteCount))
  }
}

/// The arguments of one command, its name first, as ranges of the client's bytes.
public struct Request: ~Escapable {
  private let bytes: RawSpan
  private let ranges: Span<ArgumentRange>

  /// The arguments at `ranges` in `bytes`.
  ///
  /// - Precondition: `ranges` has at least one range, and each is within `bytes`.
  @_lifetime(copy bytes, copy ranges)
  public init(_ bytes: RawSpan, _ ranges: Span<ArgumentRange>) {
    precondition(!ranges.isEmpty, "a request without a command")
    self.bytes = bytes
    self.ranges = ranges
  }

  /// The number of arguments, with the command's name.
  public var count: Int { ranges.count }

  /// The argument at `index`; 0 is the command's name.
  public subscript(index: Int) -> RawSpan {
    @_lifetime(copy self)
    get {
      let range = ranges[index]
      let start = Int(range.start)
      return bytes.extracting(start..<start &+ Int(range.byteCount))
    }
  }
}
