/// Memory in several ranges, all mapped at one fixed distance from their physical addresses: the direct
/// map of a kernel on a machine whose memory has holes.
///
///     physical   │ RAM │ hole, devices │ RAM       │ hole │ RAM │
///     mapped     │     │       ✗       │           │  ✗   │     │   at address + displacement
///
/// Bytes in a hole are not memory: a reader of untrusted addresses gets nil for them, and a write to them
/// traps before it reaches a device.
///
/// The ranges stay in the caller's storage, so that a copy of the value is small, and no heap is needed.
/// An access inside the largest range costs as much as with a ``DirectMap``.
@frozen
@safe
public struct SparseDirectMap: WritablePhysicalMemory, @unchecked Sendable {
  /// The number of ranges, none of which touches another.
  public let rangeCount: Int
  /// The largest range.
  public let largestRange: PhysicalRange

  @usableFromInline
  let ranges: UnsafePointer<PhysicalRange>
  @usableFromInline
  let displacement: UInt

  /// Memory at the ranges in `storage`, which are put in order and joined there.
  ///
  /// With a displacement of 0, the first page stays out: its pointer would be null.
  ///
  /// - Parameters:
  ///   - geometry: the page size, and what follows from it.
  ///   - storage: the ranges as the boot protocol lists them: in any order, empty ones and overlaps
  ///     included. Bytes at the edges that do not fill 8 are left out.
  ///   - displacement: what is added to a physical address, modulo 2^64, to get where it is mapped; a
  ///     multiple of the page size.
  /// - Precondition: all bytes of the ranges stay mapped, readable and writable, and `storage` stays as
  ///   this call leaves it, for as long as a copy of the value is used; a range that is not empty remains;
  ///   with another displacement than 0, no byte of a range is mapped at a null pointer.
  /// - Complexity: O(*n*²) in the number of ranges.
  @unsafe
  public init(
    sorting storage: UnsafeMutableBufferPointer<PhysicalRange>, displacement: UInt,
    geometry: PageGeometry
  ) {
    require(
      that: displacement & UInt(geometry.pageByteCount &- 1) == 0, "displacement within a page")
    let firstUsable = displacement == 0 ? UInt64(geometry.pageByteCount) : 0
    var count = 0
    for index in storage.indices {
      // SAFETY: an index of the storage, as all below.
      let range = unsafe Self.usable(storage[index], from: firstUsable)
      guard let range else { continue }
      // Insertion sort: boot protocols list ranges in order, or nearly so.
      var place = count
      while place > 0, unsafe storage[place &- 1].start > range.start {
        unsafe storage[place] = storage[place &- 1]
        place &-= 1
      }
      unsafe storage[place] = range
      count &+= 1
    }
    var joined = 0
    for index in 0..<count {
      let range = unsafe storage[index]
      if joined > 0, let both = unsafe storage[joined &- 1].joined(withLater: range) {
        unsafe storage[joined &- 1] = both
      } else {
        unsafe storage[joined] = range
        joined &+= 1
      }
    }
    guard joined > 0, let base = storage.baseAddress else {
      Panic.end("a direct map of no memory")
    }
    var largest = unsafe storage[0]
    for index in 0..<joined {
      let range = unsafe storage[index]
      if range.byteCount > largest.byteCount { largest = range }
      require(
        that: !range.contains(PhysicalAddress(0 &- UInt64(displacement))),
        "memory mapped at a null pointer")
    }
    rangeCount = joined
    largestRange = largest
    self.displacement = displacement
    // SAFETY: kept as the caller promised it; only the methods of this type use it.
    unsafe ranges = UnsafePointer(base)
  }

  private static func usable(_ range: PhysicalRange, from first: UInt64) -> PhysicalRange? {
    guard let last = range.last else { return nil }
    let start = max(range.start.rawValue, first)
    let aligned = start &+ (0 &- start & 7)
    // One behind the last whole word; 0 means 2^64.
    let end = (last.rawValue &+ 1) & ~7
    guard aligned >= start, end == 0 || aligned < end else { return nil }
    let byteCount = end &- aligned
    // A range of all addresses is longer than can be said; its last word is left out.
    return PhysicalRange(
      start: PhysicalAddress(aligned), byteCount: byteCount == 0 ? UInt64.max & ~7 : byteCount)
  }

  /// The bytes of all ranges.
  ///
  /// - Complexity: O(ranges). Not stored, since the value is copied often.
  public var byteCount: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<rangeCount { sum &+= range(at: index).byteCount }
    return sum
  }

  /// The range at `index`, by address.
  ///
  /// - Precondition: `index` is in `0..<rangeCount`.
  @inlinable
  public func range(at index: Int) -> PhysicalRange {
    require(that: index >= 0 && index < rangeCount, "no such range")
    // SAFETY: `init` left as many ranges in the storage.
    return unsafe ranges[index]
  }

  /// The index of the first range that ends at or after `address`; ``rangeCount`` if none does.
  ///
  /// - Complexity: O(log ranges).
  @inlinable
  @inline(never)
  func firstIndex(endingAtOrAfter address: PhysicalAddress) -> Int {
    var low = 0
    var high = rangeCount
    while low < high {
      let middle = low &+ (high &- low) / 2
      let range = range(at: middle)
      if range.start.rawValue &+ (range.byteCount &- 1) < address.rawValue {
        low = middle &+ 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// Whether every byte of `other` is memory; true of an empty range.
  @inlinable
  public func contains(_ other: PhysicalRange) -> Bool {
    if _fastPath(largestRange.contains(other)) { return true }
    let index = firstIndex(endingAtOrAfter: other.start)
    return index < rangeCount && range(at: index).contains(other)
  }

  /// The bytes from `address` on, to the next hole.
  @inlinable
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    let index = firstIndex(endingAtOrAfter: address)
    guard index < rangeCount else { return nil }
    let range = range(at: index)
    guard address > range.start else { return range }
    let skipped = address.rawValue &- range.start.rawValue
    return PhysicalRange(start: address, byteCount: range.byteCount &- skipped)
  }

  /// Where `address`, which is memory, is mapped.
  @inlinable
  @inline(__always)
  @unsafe
  func pointer(to address: PhysicalAddress) -> UnsafeMutableRawPointer {
    let pattern = UInt(truncatingIfNeeded: address.rawValue) &+ displacement
    // SAFETY: `init` found that no byte of memory is mapped at a null pointer.
    return unsafe UnsafeMutableRawPointer(bitPattern: pattern).unsafelyUnwrapped
  }

  // Nearly every access is inside the largest range, which a few instructions decide where it is made. What they do
  // not decide is decided once, out of line: a kernel contains hundreds of accesses.

  /// Where the bytes of `wanted` are mapped; `nil` if one of them is not memory.
  @inlinable
  @inline(__always)
  @unsafe
  func pointer(toBytesOf wanted: PhysicalRange) -> UnsafeMutableRawPointer? {
    let offset = wanted.start.rawValue &- largestRange.start.rawValue
    guard
      _fastPath(
        offset < largestRange.byteCount && wanted.byteCount <= largestRange.byteCount &- offset)
    else { return unsafe pointerElsewhere(toBytesOf: wanted) }
    return unsafe pointer(to: wanted.start)
  }

  @usableFromInline
  @inline(never)
  @unsafe
  func pointerElsewhere(toBytesOf wanted: PhysicalRange) -> UnsafeMutableRawPointer? {
    guard contains(wanted) else { return nil }
    return unsafe pointer(to: wanted.isEmpty ? largestRange.start : wanted.start)
  }

  @usableFromInline
  @inline(never)
  @unsafe
  func pointerElsewhere(
    toWordsAt address: PhysicalAddress, count: Int
  ) -> UnsafeMutableRawPointer {
    require(
      that: count >= 0 && count <= Int.max &>> 3 && address.rawValue & 7 == 0, "unaligned words")
    let byteCount = UInt64(truncatingIfNeeded: count) &* 8
    guard let wanted = PhysicalRange(checkedStart: address, byteCount: byteCount),
      let pointer = unsafe pointerElsewhere(toBytesOf: wanted)
    else { Panic.end("words outside the mapped memory") }
    return unsafe pointer
  }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them is not memory.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let start = unsafe pointer(toBytesOf: wanted) else { return nil }
    // SAFETY: the bytes were just found in memory that `init` was promised; of an empty range, none.
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(wanted.byteCount))
    return try unsafe body(bytes.bytes)
  }

  /// Calls `body` with `count` words from `address` on.
  ///
  /// - Precondition: `address` is a multiple of 8 and all the words are memory.
  @inlinable
  public func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let offset = address.rawValue &- largestRange.start.rawValue
    let wordCount = largestRange.byteCount &>> 3
    // As in `DirectMap`: an offset that is not a multiple of 8, or that wrapped below the start, becomes an index
    // beyond the last word.
    let index = offset &>> 3 | offset &<< 61
    let base =
      if _fastPath(
        count >= 0 && index < wordCount
          && UInt64(truncatingIfNeeded: count) <= wordCount &- index)
      {
        unsafe pointer(to: address)
      } else {
        unsafe pointerElsewhere(toWordsAt: address, count: count)
      }
    // SAFETY: aligned, and just found in memory that `init` was promised; of no words, none.
    return try body(unsafe MemoryWords(base: base, count: count))
  }

  /// Calls `body` with the bytes of `wanted`, for reading and writing.
  ///
  /// - Precondition: all of them are memory.
  @inlinable
  public func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let start = unsafe pointer(toBytesOf: wanted) else {
      Panic.end("bytes outside the mapped memory")
    }
    // SAFETY: the bytes were just found in memory that `init` was promised; of an empty range, none.
    let bytes = unsafe UnsafeMutableRawBufferPointer(start: start, count: Int(wanted.byteCount))
    var span = unsafe bytes.mutableBytes
    return try body(&span)
  }
}

extension PhysicalRange {
  /// This range and `next`, which does not start before it, as one; `nil` if bytes between them are in neither, or
  /// both together have 2^64 bytes. Neither is empty.
  fileprivate func joined(withLater next: PhysicalRange) -> PhysicalRange? {
    let end = byteCount &- 1 &+ start.rawValue
    guard end == .max || next.start.rawValue <= end &+ 1 else { return nil }
    let nextEnd = next.byteCount &- 1 &+ next.start.rawValue
    let last = max(end, nextEnd)
    guard last &- start.rawValue < .max else { return nil }
    return PhysicalRange(start: start, byteCount: last &- start.rawValue &+ 1)
  }
}
