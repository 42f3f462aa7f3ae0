/// Whose record it is that refers to memory.
@nonexhaustive
public enum RecordOwner: Hashable, Sendable {
  /// A registered blob, by its name.
  case subtree(String)
  /// A region of `reserve_mem`, by the name that the user gave it.
  case region(String)
  /// A session of the Live Update Orchestrator.
  case session(String)
  /// A file of a session.
  case file(session: String, token: UInt64)
  /// Data that the files of one handler share (Linux: file-lifecycle-bound, FLB), by its name.
  case sharedData(String)
  /// A collection in the memory file of a process, by the name of its root.
  case collection(String)
}
