public import Handover
import MemoryAccess

/// Takes what a reader of the known records of a handover comes upon.
///
/// Records nest: a session is inside the record of the Live Update Orchestrator, a file inside its session. The
/// reader enters a record, reports what is inside, and leaves it:
///
///     enter(blob) · enter(liveUpdate) · enter(session) · enter(file) · … · leave(file) · leave(session) · …
///
/// What is wrong with a record, or with what is inside, is reported before the record is left.
public protocol RecordVisitor {
  /// Whether the reader checks all entries of collections, and reports what is wrong with them.
  var checksCollections: Bool { get }
  /// The reader has come to a registered blob.
  ///
  /// - Returns: whether to read it.
  mutating func enter(_ blob: HandoverSurvey.Subtree) -> Bool
  /// All of the blob was read, or as much as can be.
  mutating func leave(_ blob: HandoverSurvey.Subtree)
  /// A record could be read; what is inside, and what it refers to, comes next.
  ///
  /// - Returns: whether to read that too.
  mutating func enter(_ record: KnownRecord) -> Bool
  /// All that is inside the record was read, or as much as can be.
  mutating func leave(_ record: KnownRecord)
  /// A record refers to memory; called before anything there is read.
  ///
  /// - Returns: whether to go on; false ends the reading.
  mutating func visit(_ reference: RecordReference) -> Bool
  /// A record of a format that is not known holds `word`, which may be where its data are.
  mutating func visit(_ word: UInt64, notedBy owner: RecordOwner)
  /// A record is malformed or of a format that is not known.
  mutating func report(_ finding: RecordFinding)
}

extension RecordVisitor {
  /// False.
  public var checksCollections: Bool { false }
  /// Has the blob read.
  public mutating func enter(_ blob: HandoverSurvey.Subtree) -> Bool { true }
  /// Does nothing.
  public mutating func leave(_ blob: HandoverSurvey.Subtree) {}
  /// Has what is inside the record read.
  public mutating func enter(_ record: KnownRecord) -> Bool { true }
  /// Does nothing.
  public mutating func leave(_ record: KnownRecord) {}
  /// Goes on.
  public mutating func visit(_ reference: RecordReference) -> Bool { true }
  /// Does nothing.
  public mutating func visit(_ word: UInt64, notedBy owner: RecordOwner) {}
}
