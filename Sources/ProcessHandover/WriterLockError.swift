public import SystemPackage

/// Why the right to write a memory file cannot be had.
@nonexhaustive
public enum WriterLockError: Error, Equatable, Sendable {
  /// Another process has it; nil where the system does not name it.
  case held(by: LockHolder?)
  /// The file could not be opened once more: open(2) of its name in /proc.
  case cannotOpen(Errno)
  /// flock(2) failed, which some file systems do not have.
  case cannotLock(Errno)
  /// fstat(2) or fcntl(2) failed.
  case cannotInspect(Errno)
  /// The descriptor that was handed on points to another file.
  case foreignDescriptor
  /// The descriptor that was handed on does not hold the lock.
  case notHeld
}

/// A process that holds a lock.
public struct LockHolder: Hashable, Sendable {
  /// The process, as this one's namespace counts.
  public let processID: Int32
  /// The name of its program, at most 15 bytes of its own choice; nil where it cannot be read.
  public let command: String?

  /// The holder with that number and program.
  public init(processID: Int32, command: String?) {
    self.processID = processID
    self.command = command
  }
}
