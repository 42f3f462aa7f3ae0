import MemoryAccess

/// Memory that is only read, in the form that collections are read in: each word is copied before it is
/// lent, words that do not exist are 0, and stores are lost.
///
/// The memory may contain anything, and may change or become shorter meanwhile.
struct BoundedView<Base: PhysicalMemory>: WritablePhysicalMemory {
  private let base: Base
  private let range: PhysicalRange

  init(_ base: Base, byteCount: UInt64) {
    self.base = base
    range = PhysicalRange(start: .zero, byteCount: min(byteCount, base.byteCount))
  }

  var byteCount: UInt64 { range.byteCount }

  func contains(_ other: PhysicalRange) -> Bool { range.contains(other) && base.contains(other) }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    base.storedRange(atOrAfter: address)?.intersection(range)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard range.contains(wanted) else { return nil }
    return try base.withBytes(in: wanted, body)
  }

  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: `count` words that live until this returns, all of them initialized here.
    let copy = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: max(count, 1))
    defer { unsafe copy.deallocate() }
    unsafe copy.initialize(repeating: 0)
    let wanted = PhysicalRange(checkedStart: address, byteCount: UInt64(count) &* 8)
    if let wanted {
      _ = withBytes(in: wanted) { bytes in
        for index in 0..<count { unsafe copy[index] = bytes.word(atByte: index &* 8) ?? 0 }
      }
    }
    return try body(
      unsafe MemoryWords(base: UnsafeMutableRawPointer(copy.baseAddress!), count: count))
  }

  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    preconditionFailure("a store to memory that is only read")
  }
}

/// The memory of a collection that is only looked at.
struct InspectedStorage<Base: PhysicalMemory>: ~Copyable, PersistentStorage {
  let memory: BoundedView<Base>

  mutating func allocate(
    byteCount: UInt64, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange { throw .limitReached }

  mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PersistentCollectionError) { throw .limitReached }
}
