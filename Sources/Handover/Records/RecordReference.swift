public import MemoryAccess

/// Memory that a record refers to, and that must be preserved for the record to be of use.
public struct RecordReference: Hashable, Sendable {
  /// What is there.
  @nonexhaustive
  public enum Role: Hashable, Sendable {
    /// A region of `reserve_mem`.
    case region
    /// A page with pointers to the blocks of a vmalloc area.
    case chunk
    /// A block of a vmalloc area.
    case area
    /// A page, or a run of pages, with records.
    case records
    /// A folio: an entry of its own, not a part of one.
    case folio
    /// A piece of a collection's memory.
    case piece
  }

  /// Who refers.
  public let owner: RecordOwner
  /// What is there.
  public let role: Role
  /// The bytes referred to; of a folio whose order the record does not contain, its first page.
  public let range: PhysicalRange
  /// The order of the folio, if the record contains it.
  public let order: PageOrder?

  /// A reference of `owner` to `range`.
  public init(
    owner: RecordOwner, role: Role, range: PhysicalRange, order: PageOrder? = nil
  ) {
    self.owner = owner
    self.role = role
    self.range = range
    self.order = order
  }
}
