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

  /// Makes the word that was found for `key` the last one; its value is not known yet.
  @inlinable
  @inline(__always)
  mutating func move(to key: RadixKey, _ found: Found) {
    prefix = found.prefix
    number = key.rawValue &>> 6
    address = found.address
    table = found.table
  }

  /// Makes no word the last one.
  ///
  /// The prefix alone decides. The others are cleared so that their registers are free while orders come by turns: with
  /// these three, the fewest values wait in memory.
  @inlinable
  @inline(__always)
  mutating func forget() {
    prefix = Self.none
    address = .zero
    table = .zero
    value = 0
  }

  /// No bits above a table: of a key, 31 are left.
  @inlinable
  static var none: UInt64 { .max }

  /// A word that was found by more than a few instructions.
  ///
  /// A value of three words, which a function returns in registers.
  @frozen
  @usableFromInline
  struct Found {
    /// Where the word is; `.zero` where there is none.
    @usableFromInline
    var address: PhysicalAddress
    /// The table of level 2 above it; `.zero` where none is remembered.
    @usableFromInline
    var table: PhysicalAddress
    /// As ``RadixLastWord/prefix``.
    @usableFromInline
    var prefix: UInt64

    @inlinable
    init(_ address: PhysicalAddress, table: PhysicalAddress, prefix: UInt64) {
      self.address = address
      self.table = table
      self.prefix = prefix
    }
  }
}
