import MemoryAccess

/// Memory of one's own: physical addresses from `range.start` on, in bytes that are mapped at `base`.
@safe
struct OwnMemory: WritablePhysicalMemory, @unchecked Sendable {
  let range: PhysicalRange
  /// A multiple of the page size. The bytes stay mapped as long as a copy of the value is used.
  let base: UnsafeMutableRawPointer

  var byteCount: UInt64 { range.byteCount }

  func contains(_ wanted: PhysicalRange) -> Bool { range.contains(wanted) }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    guard let last = range.last, address <= last else { return nil }
    let start = max(address, range.start)
    return PhysicalRange(start: start, byteCount: last.rawValue - start.rawValue + 1)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    // The address may be any number: a reader follows pointers of untrusted memory.
    guard contains(wanted) else { return nil }
    return try unsafe body(UnsafeRawBufferPointer(bytes(in: wanted)).bytes)
  }

  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let wanted = PhysicalRange(start: address, byteCount: UInt64(count) * 8)
    guard address.rawValue % 8 == 0, let first = unsafe bytes(in: wanted).baseAddress else {
      preconditionFailure("unaligned words")
    }
    return try body(unsafe MemoryWords(base: first, count: count))
  }

  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = unsafe bytes(in: wanted)
    var span = unsafe bytes.mutableBytes
    return try body(&span)
  }

  /// Where `wanted` is mapped.
  private func bytes(in wanted: PhysicalRange) -> UnsafeMutableRawBufferPointer {
    precondition(contains(wanted), "bytes outside memory")
    let offset = wanted.isEmpty ? 0 : Int(wanted.start.rawValue - range.start.rawValue)
    // SAFETY: the bytes are in `range`, which is mapped at `base`.
    return unsafe UnsafeMutableRawBufferPointer(
      start: base + offset, count: Int(wanted.byteCount))
  }
}
