public import Handover
import MemoryAccess

/// Takes what a walk over the known records of a handover comes upon.
public protocol RecordVisitor {
  /// A record refers to memory; called before anything there is read.
  ///
  /// - Returns: whether to go on; false ends the walk.
  mutating func visit(_ reference: RecordReference) -> Bool
  /// A record could be read; what it refers to comes next, where it is not another record.
  mutating func visit(_ record: KnownRecord)
  /// A record of a format that is not known holds `word`, which may be where its data lie.
  mutating func visit(_ word: UInt64, notedBy owner: RecordOwner)
  /// A record is malformed or of a format that is not known.
  mutating func report(_ finding: RecordFinding)
}

extension RecordVisitor {
  /// Does nothing.
  public mutating func visit(_ record: KnownRecord) {}
  /// Does nothing.
  public mutating func visit(_ word: UInt64, notedBy owner: RecordOwner) {}
}
