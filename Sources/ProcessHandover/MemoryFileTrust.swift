/// Which existing files are used as memory.
public enum MemoryFileTrust: Hashable, Sendable {
  /// Files that belong to this process's user and that no other user may write. A symbolic link in a
  /// folder that every user may write is not followed.
  ///
  /// A user who may write a memory file can cut it off, which ends every process that touches the lost
  /// bytes with SIGBUS, and can put anything into it.
  case ownFiles
  /// Every file that can be opened, by every link.
  case allFiles
}
