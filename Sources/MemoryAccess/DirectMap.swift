/// Memory that is already mapped at a fixed distance from its physical address, as a kernel's
/// direct map is.
///
/// The fenced place of the core where an address becomes a pointer. The type does not own the
/// memory, so only code that knows its lifetime can make one.
@frozen
@safe
public struct DirectMap: WritablePhysicalMemory, @unchecked Sendable {
  /// The physical addresses that are mapped.
  public let range: PhysicalRange

  @usableFromInline
  let base: UnsafeMutableRawPointer
  /// Kept, because nearly every access to a node asks for it.
  @usableFromInline
  let wordCount: UInt64

  /// The memory whose first byte is mapped at `base`.
  ///
  /// - Precondition: `base` is a multiple of 8, as `range.start` is, and `range.byteCount` bytes
  ///   from it stay readable and writable for as long as a copy of the value is used.
  @inlinable
  @unsafe
  public init(_ range: PhysicalRange, mappedAt base: UnsafeMutableRawPointer) {
    require(that: range.start.isAligned(log2ByteCount: 3), "unaligned physical range")
    require(that: range.byteCount <= UInt64(Int.max), "range larger than an address space")
    self.range = range
    wordCount = range.byteCount &>> 3
    // SAFETY: kept as the caller promised it; only the methods below use it.
    unsafe self.base = base
  }

  /// Calls `body` with the map itself.
  @inlinable
  @unsafe
  public func withDirectMap<Result: ~Copyable, Failure: Error>(
    _ body: (DirectMap) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try body(self)
  }

  /// The map of those of its bytes that are in `part`; `nil` if none is, or if the first is not at a multiple of 8.
  @inlinable
  public func intersection(_ part: PhysicalRange) -> DirectMap? {
    guard let shared = range.intersection(part), shared.start.isAligned(log2ByteCount: 3) else {
      return nil
    }
    // SAFETY: a part of the bytes that `init` was promised, and the distance to their addresses is the same.
    return unsafe DirectMap(
      shared, mappedAt: base + Int(shared.start.rawValue &- range.start.rawValue))
  }

  /// The number of bytes mapped.
  @inlinable
  public var byteCount: UInt64 { range.byteCount }

  /// Whether every byte of `other` is mapped.
  @inlinable
  public func contains(_ other: PhysicalRange) -> Bool { range.contains(other) }

  /// The mapped bytes from `address` on.
  @inlinable
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    guard let last = range.last, address <= last else { return nil }
    let start = max(address, range.start)
    return PhysicalRange(start: start, byteCount: last.rawValue &- start.rawValue &+ 1)
  }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them is not mapped.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard range.contains(wanted) else { return nil }
    let offset = wanted.isEmpty ? 0 : Int(wanted.start.rawValue &- range.start.rawValue)
    // SAFETY: the bytes were just found inside the range that `init` was promised.
    let bytes = unsafe UnsafeRawBufferPointer(start: base + offset, count: Int(wanted.byteCount))
    return try unsafe body(bytes.bytes)
  }

  /// Calls `body` with `count` words from `address` on.
  ///
  /// - Precondition: `address` is a multiple of 8 and all the words are mapped.
  @inlinable
  public func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let offset = address.rawValue &- range.start.rawValue
    // One comparison for three things, since nearly every access to a node passes here: an offset
    // that is not a multiple of 8, or that wrapped below the start, becomes a larger index than there
    // are words once its last three bits are at the top.
    let index = offset &>> 3 | offset &<< 61
    require(
      that: count >= 0 && index <= wordCount
        && UInt64(truncatingIfNeeded: count) <= wordCount &- index,
      "words outside the mapped memory")
    // SAFETY: aligned, and just found inside the range that `init` was promised; the index is the
    // offset's eighth then.
    return try body(
      unsafe MemoryWords(base: base + Int(truncatingIfNeeded: index) &* 8, count: count))
  }

  /// Calls `body` with words that were lent before; see ``WritablePhysicalMemory``.
  @inlinable
  @unsafe
  public func withKnownWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // The distance of the two kinds of addresses is the same for all of the map: a loop computes it once.
    let distance = unsafe UInt(bitPattern: base) &- UInt(truncatingIfNeeded: range.start.rawValue)
    let start = unsafe UnsafeMutableRawPointer(
      bitPattern: distance &+ UInt(truncatingIfNeeded: address.rawValue))
    // SAFETY: the caller promises that `withWords` found them inside the range, which never changes; so they are
    // mapped, and not at 0.
    return try body(unsafe MemoryWords(base: start.unsafelyUnwrapped, count: count))
  }

  /// Calls `body` with the bytes of `wanted`, for reading and writing.
  ///
  /// - Precondition: all of them are mapped.
  @inlinable
  public func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    require(that: range.contains(wanted), "bytes outside the mapped memory")
    let offset = wanted.isEmpty ? 0 : Int(wanted.start.rawValue &- range.start.rawValue)
    // SAFETY: the bytes were just found inside the range that `init` was promised.
    let bytes = unsafe UnsafeMutableRawBufferPointer(
      start: base + offset, count: Int(wanted.byteCount))
    var span = unsafe bytes.mutableBytes
    return try body(&span)
  }
}
