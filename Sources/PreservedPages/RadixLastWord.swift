public import MemoryAccess

/// The word that a tree changed last: 64 keys in order share one.
///
/// Its value is remembered, too, and only compared with what memory holds. Else each key would wait for the
/// store of the one before: the load of a word just stored takes five cycles, and that is all the time
/// there is.
@frozen
@usableFromInline
struct RadixLastWord {
  /// The word's number, which is that of its keys without their last six bits; ``RadixPathCache/none``
  /// while keys of several orders come by turns: then each would leave the word of the one before, and a
  /// branch that nothing foretells would take longer than all the rest.
  @usableFromInline
  var number = RadixPathCache.none
  /// Where the word is.
  @usableFromInline
  var address = PhysicalAddress.zero
  /// The table of level 2 above the word, with pages of 4 KiB.
  @usableFromInline
  var table = PhysicalAddress.zero
  /// What the word held when it was used last: a guess, never stored without having been compared.
  @usableFromInline
  var value: UInt64 = 0

  @inlinable
  init() {}
}
