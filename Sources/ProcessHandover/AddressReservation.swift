internal import Platform
internal import SystemPackage

/// A run of addresses of this process that parts of one file are mapped into, one after the other,
/// so that what is mapped already never moves.
@safe
struct AddressReservation: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int
  private let isWritable: Bool

  /// The first address to map at, a multiple of the alignment.
  let start: UnsafeMutableRawPointer

  /// Addresses for `capacity` bytes, from a multiple of `alignment`, a power of two, on.
  init(capacity: UInt64, alignment: UInt64, isWritable: Bool = true) throws(Errno) {
    let (sum, overflow) = capacity.addingReportingOverflow(alignment)
    guard !overflow, let byteCount = Int(exactly: sum) else { throw .noMemory }
    // SAFETY: a fresh mapping; `deinit` alone unmaps it.
    let base = unsafe try SystemCalls.reserveAddresses(byteCount: byteCount)
    unsafe self.base = base
    self.byteCount = byteCount
    self.isWritable = isWritable
    let misalignment = UInt(bitPattern: base) & UInt(alignment &- 1)
    // SAFETY: less than `alignment` bytes further, which were asked for beyond the capacity.
    unsafe self.start = misalignment == 0 ? base : base + Int(UInt(alignment) &- misalignment)
  }

  /// The same, with bytes of an open file mapped already.
  static func mapping(
    _ bytes: Range<UInt64>, of descriptor: FileDescriptor, capacity: UInt64, alignment: UInt64,
    isWritable: Bool
  ) throws(Errno) -> AddressReservation {
    let addresses = try AddressReservation(
      capacity: capacity, alignment: alignment, isWritable: isWritable)
    try addresses.map(descriptor, bytes)
    return addresses
  }

  /// Maps the bytes of an open file to their place, shared.
  ///
  /// - Precondition: they are in the capacity, and begin at a multiple of the file's page size.
  func map(_ descriptor: FileDescriptor, _ bytes: Range<UInt64>) throws(Errno) {
    guard !bytes.isEmpty else { return }
    // SAFETY: inside the addresses that were reserved for the capacity.
    unsafe try SystemCalls.map(
      descriptor, bytes, at: start + Int(bytes.lowerBound), isWritable: isWritable)
  }

  // SAFETY: the lender of the bytes keeps the owner of this value alive until they are given back.
  deinit { unsafe SystemCalls.unmap(base, byteCount: byteCount) }
}
