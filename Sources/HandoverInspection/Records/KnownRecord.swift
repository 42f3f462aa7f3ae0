public import Handover
public import MemoryAccess

/// A record of a known format, as a walk over the records of a handover comes upon it.
public enum KnownRecord: Sendable {
  /// The regions of `reserve_mem`.
  case memblock(MemblockRecord)
  /// What the predecessor tells about itself.
  case kexecMetadata(KexecMetadata)
  /// The record of the kernel's self-test; its folios follow.
  case khoTest(KHOTestRecord)
  /// A folio of the self-test.
  case khoTestFolio(PhysicalBlock)
  /// An area under a name of its own.
  case area(VmallocArea)
  /// The record of the Live Update Orchestrator; shared data and sessions follow.
  case liveUpdate(LiveUpdateRecord)
  /// Data that the files of one handler share.
  case sharedData(LiveUpdateSharedData)
  /// A session; its files follow.
  case session(LiveUpdateSession)
  /// A file of the session before.
  case file(LiveUpdateFile)
  /// What is kept of the file before, a memfd; its folios follow.
  case memfd(MemfdRecord)
  /// A folio, or a hole, of the memfd before.
  case memfdFolio(MemfdFolio)
}
