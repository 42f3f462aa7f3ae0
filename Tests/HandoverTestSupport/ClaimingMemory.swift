package import MemoryAccess
package import MemoryImages

/// Memory of which little is there, but that says that much more exists: a machine of any size, for
/// what only asks which addresses are memory.
///
/// `contains` is true of what is there and of what is claimed; the bytes of a claimed address cannot
/// be read, as in an image that leaves pages out.
package struct ClaimingMemory: WritablePhysicalMemory, Sendable {
  /// What is there.
  package let base: AnonymousMemory
  /// What is said to exist besides; nil means every address.
  package let claims: [PhysicalRange]?

  /// The memory of `base`, and a claim to more.
  package init(_ base: AnonymousMemory, claiming claims: [PhysicalRange]?) {
    self.base = base
    self.claims = claims
  }

  /// Whether `range` is there, or claimed as a whole.
  package func contains(_ range: PhysicalRange) -> Bool {
    guard let claims else { return true }
    return base.contains(range) || claims.contains { $0.contains(range) }
  }

  /// The bytes that are there.
  package var byteCount: UInt64 { base.byteCount }

  /// What is there at or after `address`.
  package func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    base.storedRange(atOrAfter: address)
  }

  /// Calls `body` with bytes that are there.
  package func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try base.withBytes(in: range, body)
  }

  /// Calls `body` with words that are there.
  package func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try base.withWords(at: address, count: count, body)
  }

  /// Calls `body` with bytes that are there, to change them.
  package func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try base.withMutableBytes(in: range, body)
  }
}
