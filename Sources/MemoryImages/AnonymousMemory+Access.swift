public import MemoryAccess

extension AnonymousMemory {
  /// The addresses at which the memory is presented.
  @inlinable
  public var range: PhysicalRange { map.range }

  /// The number of bytes.
  @inlinable
  public var byteCount: UInt64 { map.byteCount }

  /// Whether every byte of `other` exists.
  @inlinable
  public func contains(_ other: PhysicalRange) -> Bool { map.contains(other) }

  /// The bytes from `address` on; pages that were never written count as well.
  @inlinable
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    map.storedRange(atOrAfter: address)
  }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them does not exist.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try withExtendedLifetime(self) { () throws(Failure) -> Result? in
      try map.withBytes(in: wanted, body)
    }
  }

  /// Calls `body` with `count` words from `address` on.
  ///
  /// - Precondition: `address` is a multiple of 8 and all the words exist.
  @inlinable
  public func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withExtendedLifetime(self) { () throws(Failure) -> Result in
      try map.withWords(at: address, count: count, body)
    }
  }

  /// Calls `body` with the bytes of `wanted`, for reading and writing.
  ///
  /// - Precondition: all of them exist.
  @inlinable
  public func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withExtendedLifetime(self) { () throws(Failure) -> Result in
      try map.withMutableBytes(in: wanted, body)
    }
  }
}
