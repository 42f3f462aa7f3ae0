public import MemoryAccess

/// How the words of a tree are read and changed: by one thread, or by several at once.
///
/// Everything that finds or makes nodes is written once, for both: ``RadixTree`` uses ``SoleAccess``,
/// ``ConcurrentRadixTree`` ``SharedAccess``.
@usableFromInline
protocol RadixAccess {
  /// The pointer at `index`, with everything that was stored before it was linked.
  static func pointer(_ words: borrowing MemoryWords, _ index: Int) -> PhysicalAddress

  /// Stores `pointer` at `index`, which held zero, after everything that this thread stored before.
  ///
  /// - Returns: the pointer that another thread stored there first; `.zero` where the store was made.
  static func link(
    _ pointer: PhysicalAddress, in words: borrowing MemoryWords, at index: Int
  ) -> PhysicalAddress
}

/// One thread changes the tree at a time.
@frozen
@usableFromInline
enum SoleAccess: RadixAccess {
  @inlinable
  @inline(__always)
  static func pointer(_ words: borrowing MemoryWords, _ index: Int) -> PhysicalAddress {
    PhysicalAddress(words.load(index))
  }

  @inlinable
  @inline(__always)
  static func link(
    _ pointer: PhysicalAddress, in words: borrowing MemoryWords, at index: Int
  ) -> PhysicalAddress {
    words.publish(pointer.rawValue, at: index)
    return .zero
  }
}

/// Other threads change the tree meanwhile, without a lock.
@frozen
@usableFromInline
enum SharedAccess: RadixAccess {
  @inlinable
  @inline(__always)
  static func pointer(_ words: borrowing MemoryWords, _ index: Int) -> PhysicalAddress {
    PhysicalAddress(words.loadPublished(index))
  }

  @inlinable
  @inline(__always)
  static func link(
    _ pointer: PhysicalAddress, in words: borrowing MemoryWords, at index: Int
  ) -> PhysicalAddress {
    PhysicalAddress(words.publishIfZero(pointer.rawValue, at: index))
  }
}
