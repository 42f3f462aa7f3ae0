public import MemoryAccess
internal import Platform
public import Synchronization
internal import SystemPackage

extension MemoryFile {
  /// The size of the file, in bytes, as far as this object knows: every address below exists.
  @inlinable
  public var byteCount: UInt64 { presentByteCount.load(ordering: .acquiring) }

  /// The addresses that exist now: from 0 to the end of the file.
  @inlinable
  public var range: PhysicalRange { PhysicalRange(start: .zero, byteCount: byteCount) }

  /// The bytes that exist now, without the reference count, for hot paths.
  ///
  /// Unsafe: the value does not keep the memory. Use it, and copies of it, only while something
  /// else keeps this object alive, `withExtendedLifetime` for one. It does not see the file grow.
  @inlinable
  @unsafe
  public var unsafeDirectMap: DirectMap {
    // SAFETY: as many bytes are mapped at `base`, a multiple of the page size, and stay mapped as
    // long as the object.
    unsafe DirectMap(range, mappedAt: base)
  }

  /// Calls `body` with ``unsafeDirectMap``, and keeps the memory meanwhile.
  @inlinable
  @unsafe
  public func withDirectMap<Result: ~Copyable, Failure: Error>(
    _ body: (DirectMap) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try withExtendedLifetime(self) { () throws(Failure) -> Result? in
      // SAFETY: the object lives on.
      try body(unsafe unsafeDirectMap)
    }
  }

  /// Whether every byte of `other` exists.
  @inlinable
  public func contains(_ other: PhysicalRange) -> Bool { range.contains(other) }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them does not exist.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try withExtendedLifetime(self) { () throws(Failure) -> Result? in
      // SAFETY: the object lives on.
      try unsafe unsafeDirectMap.withBytes(in: wanted, body)
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
      // SAFETY: the object lives on.
      try unsafe unsafeDirectMap.withWords(at: address, count: count, body)
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
      // SAFETY: the object lives on.
      try unsafe unsafeDirectMap.withMutableBytes(in: wanted, body)
    }
  }

  /// The first run of stored bytes at or after `address`; nil when only holes follow.
  ///
  /// Asks the file system every time, since a store can fill a hole: lseek(2) with SEEK_DATA and
  /// SEEK_HOLE. Where it cannot say, all bytes count as stored.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    let end = byteCount
    let offset = address.rawValue
    guard offset < end else { return nil }
    let start: UInt64
    do throws(Errno) {
      start = max(offset, try SystemCalls.seek(file.descriptor, to: .data, from: offset))
    } catch {
      // ENXIO: no data up to the end. Anything else: the file system does not say.
      guard error != .noSuchAddressOrDevice else { return nil }
      return PhysicalRange(start: address, byteCount: end &- offset)
    }
    guard start < end else { return nil }
    let hole = (try? SystemCalls.seek(file.descriptor, to: .hole, from: start)) ?? end
    // A hole at or before the data: the file is being changed. Progress comes first.
    let stop = hole > start ? min(hole, end) : end
    return PhysicalRange(start: PhysicalAddress(start), byteCount: stop &- start)
  }
}
