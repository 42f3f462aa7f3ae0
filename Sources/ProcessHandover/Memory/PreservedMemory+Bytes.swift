public import MemoryAccess

extension PreservedMemory {
  /// Calls `body` with the bytes of `range`.
  ///
  /// - Precondition: they are bytes of the memory.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    of range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let result = try file.withBytes(in: range, body) else {
      preconditionFailure("bytes outside the memory")
    }
    return result
  }

  /// Calls `body` with the bytes of `range`, for reading and writing.
  ///
  /// - Precondition: they are bytes of the memory, and preserved.
  @inlinable
  public mutating func withMutableBytes<Result: ~Copyable, Failure: Error>(
    of range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try file.withMutableBytes(in: range, body)
  }

  /// Calls `body` with the 64-bit words of `range`: each store is one, also for the next process after
  /// a crash.
  ///
  /// - Precondition: they are bytes of the memory, and preserved; the ends are multiples of 8.
  @inlinable
  public mutating func withWords<Result: ~Copyable, Failure: Error>(
    of range: PhysicalRange, _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try file.withWords(at: range.start, count: Int(range.byteCount >> 3), body)
  }
}
