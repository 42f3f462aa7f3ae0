public import Handover

/// Who has a stretch of preserved memory, and for what.
public struct MemoryOwner: Hashable, Sendable {
  /// Who registered the memory.
  @nonexhaustive
  public enum Holder: Hashable, Sendable {
    /// The handover itself.
    case handover
    /// A blob, or what its record lists: a region, a session, a file.
    case record(RecordOwner)
    /// One of those beyond ``OwnerAccounts/ownerLimit``, which are not distinguished.
    case further
  }

  /// What the memory is for.
  @nonexhaustive
  public enum Use: Hashable, Sendable {
    /// The root device tree.
    case deviceTree
    /// A registered blob.
    case blob
    /// What a record of a known format refers to.
    case referred(RecordReference.Role)
    /// An entry that begins where a word of an unknown record points.
    ///
    /// Nothing else shows what such a word means, so it is taken for a pointer where it is exactly the
    /// start of an entry.
    case presumed
    /// Anything, of ``Holder/further``.
    case any
  }

  /// Who registered the memory.
  public let holder: Holder
  /// What the memory is for.
  public let use: Use

  /// Memory that `holder` has for `use`.
  public init(_ holder: Holder, _ use: Use) {
    self.holder = holder
    self.use = use
  }

  /// The root device tree.
  static var deviceTree: MemoryOwner { MemoryOwner(.handover, .deviceTree) }
  /// Those that are not distinguished.
  static var further: MemoryOwner { MemoryOwner(.further, .any) }
}
