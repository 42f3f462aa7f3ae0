public import MemoryAccess

/// The word that a tree changed last: 64 keys in order share one.
///
/// Its value is remembered, too, and only compared with what memory holds. Else each key would wait for the
/// store of the one before: the load of a word just stored takes five cycles, and that is all the time
/// there is.
@frozen
@usableFromInline
struct RadixLastWord {
  /// The bits of the word's keys above a table of level 2 with pages of 4 KiB; ``none`` while keys of several orders
  /// come by turns: then each would leave the word of the one before, and a branch that nothing foretells would take
  /// longer than all the rest.
  @usableFromInline
  var prefix = RadixLastWord.none
  /// The word's number, which is that of its keys without their last six bits.
  @usableFromInline
  var number: UInt64 = 0
  /// Where the word is: one that the tree's memory has lent.
  @usableFromInline
  var address = PhysicalAddress.zero
  /// The table of level 2 above the word, with pages of 4 KiB; the memory has lent the whole page.
  @usableFromInline
  var table = PhysicalAddress.zero
  /// What the word held when it was used last: a guess, never stored without having been compared.
  @usableFromInline
  var value: UInt64 = 0

  @inlinable
  init() {}

  /// Makes the word at `address`, which is that for `key`, the last one; its value is not known yet.
  ///
  /// - Precondition: the path to the key is the one that the cache remembers for its order.
  @inlinable
  @inline(__always)
  mutating func move(
    to key: RadixKey, at address: PhysicalAddress, below cache: borrowing RadixPathCache
  ) {
    prefix = key.rawValue &>> 33
    number = key.rawValue &>> 6
    self.address = address
    // SAFETY: an index has four bits.
    table = unsafe cache.entries[unchecked: RadixPathCache.index(of: key)].table
  }

  /// No bits above a table: of a key, 31 are left.
  @inlinable
  static var none: UInt64 { .max }
}
