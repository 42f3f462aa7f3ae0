public import Synchronization

/// What several threads may do to the same words at once, without a lock.
///
/// A thread that reads what another one published sees everything that was stored before.
extension MemoryWords {
  /// The word at `index`, and with it everything that was stored before the word was.
  ///
  /// - Precondition: `index` is in `0..<count`.
  @inlinable
  public func loadPublished(_ index: Int) -> UInt64 {
    // SAFETY: `word(_:)` checks the index.
    unsafe word(index).pointee.load(ordering: .acquiring)
  }

  /// Sets the bits of `mask` in the word at `index`; the others stay, also while other threads change them.
  ///
  /// - Returns: the word as it was.
  /// - Precondition: `index` is in `0..<count`.
  @inlinable
  @discardableResult
  public func setBits(_ mask: UInt64, at index: Int) -> UInt64 {
    // SAFETY: `word(_:)` checks the index.
    unsafe word(index).pointee.bitwiseOr(mask, ordering: .acquiringAndReleasing).oldValue
  }

  /// Clears the bits of `mask` in the word at `index`; the others stay, also while other threads change them.
  ///
  /// - Returns: the word as it was.
  /// - Precondition: `index` is in `0..<count`.
  @inlinable
  @discardableResult
  public func clearBits(_ mask: UInt64, at index: Int) -> UInt64 {
    // SAFETY: `word(_:)` checks the index.
    unsafe word(index).pointee.bitwiseAnd(~mask, ordering: .acquiringAndReleasing).oldValue
  }

  /// Stores `value` at `index` if zero is there, after everything that this thread stored before.
  ///
  /// - Returns: the word as it was: 0 where the store was made, and what another thread stored where
  ///   it was not, with everything that was stored before.
  /// - Precondition: `index` is in `0..<count`.
  @inlinable
  public func publishIfZero(_ value: UInt64, at index: Int) -> UInt64 {
    // SAFETY: `word(_:)` checks the index.
    unsafe word(index).pointee.compareExchange(
      expected: 0, desired: value, ordering: .acquiringAndReleasing
    ).original
  }
}
