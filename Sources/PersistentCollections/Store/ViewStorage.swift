import MemoryAccess

/// The memory of a store for a thread that only reads.
struct ViewStorage: ~Copyable, PersistentStorage {
  let memory: ViewMemory

  mutating func allocate(
    byteCount: UInt64, zeroed: Bool, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange { throw .readOnly }

  mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PersistentCollectionError) { throw .readOnly }
}

/// The bytes of a store as the process that has it sees them, or as another process that only reads does.
struct ViewMemory: WritablePhysicalMemory {
  private let map: DirectMap
  /// How another process sees the bytes; nil in the process that has the store. Its caller keeps it, so
  /// that this value costs no reference counting.
  private unowned(unsafe) let shared: SharedView?

  init(_ map: DirectMap) {
    self.map = map
    unsafe shared = nil
  }

  /// - Parameter shared: kept by the caller as long as this value is used.
  @unsafe
  init(_ map: DirectMap, _ shared: SharedView) {
    self.map = map
    unsafe self.shared = shared
  }

  var byteCount: UInt64 { map.byteCount }

  @inline(__always)
  func contains(_ range: PhysicalRange) -> Bool { map.contains(range) }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    map.storedRange(atOrAfter: address)
  }

  @inline(__always)
  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    // SAFETY: the maker of this value keeps the object.
    if let shared = unsafe shared { return try shared.withBytes(in: wanted, body) }
    return try map.withBytes(in: wanted, body)
  }

  @inline(__always)
  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: as above.
    if let shared = unsafe shared, !shared.view.isPlain || !hasWords(at: address, count: count) {
      return try shared.view.withWords(at: address, count: count, body)
    }
    return try map.withWords(at: address, count: count, body)
  }

  private func hasWords(at address: PhysicalAddress, count: Int) -> Bool {
    guard address.rawValue & 7 == 0, count >= 0,
      let range = PhysicalRange(checkedStart: address, byteCount: UInt64(count) &* 8)
    else { return false }
    return map.contains(range)
  }

  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    preconditionFailure("a store to memory that is only read")
  }
}

/// How a process that only reads sees a store that another one may be changing: a change that is not
/// complete has not happened, and bytes are copied before they are used.
final class SharedView {
  let view: BoundedView<DirectMap>

  init(_ view: BoundedView<DirectMap>) { self.view = view }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let copy = view.withBytes(in: wanted, { $0.copiedBytes() }) else { return nil }
    return try copy.withRawSpan(body)
  }
}
