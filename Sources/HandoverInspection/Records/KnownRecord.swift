public import Handover
public import MemoryAccess

/// A record of a known format, as a reader of the records of a handover comes upon it.
@nonexhaustive
public enum KnownRecord: Sendable {
  /// The regions of `reserve_mem`.
  case memblock(MemblockRecord)
  /// What the predecessor recorded about itself.
  case kexecMetadata(KexecMetadata)
  /// The record of the kernel's self-test; its folios are inside.
  case khoTest(KHOTestRecord)
  /// A folio of the self-test around it.
  case khoTestFolio(PhysicalBlock)
  /// The ledger of the collections in a memory file.
  case ledger(LedgerContents)
  /// The root of a collection.
  case collection(CollectionContents)
  /// An area under a name of its own.
  case area(VmallocArea)
  /// The record of the Live Update Orchestrator; shared data and sessions are inside.
  case liveUpdate(LiveUpdateRecord)
  /// Data that the files of one handler share.
  case sharedData(LiveUpdateSharedData)
  /// A session; its files are inside.
  case session(LiveUpdateSession)
  /// A file of the session around it; what is kept of it is inside.
  case file(LiveUpdateFile)
  /// What is kept of the file before, a memfd; its folios are inside.
  case memfd(MemfdRecord)
  /// A folio, or a hole, of the memfd around it.
  case memfdFolio(MemfdFolio)
}

extension KnownRecord {
  /// The names of blobs that are records of known formats.
  package static var subtreeNames: [String] {
    [
      MemblockRecord.subtreeName, KexecMetadata.subtreeName, KHOTestRecord.subtreeName,
      LiveUpdateRecord.subtreeName,
    ]
  }
}
