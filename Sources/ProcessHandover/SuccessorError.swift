public import SystemPackage

/// Why a successor cannot be started, or cannot take what it was given.
@nonexhaustive
public enum SuccessorError: Error, Equatable, Sendable {
  // Starting it.

  /// The descriptor of that name cannot be passed on: fstat(2) or fcntl(2).
  case cannotPass(name: String, Errno)
  /// The program cannot be executed: execve(2).
  case cannotExecute(Errno)
  /// The process cannot be made, or the program not be executed in it: clone(2), execve(2).
  case cannotSpawn(Errno)

  // Being it.

  /// The variable is not what a predecessor writes.
  case malformedVariable
  /// The variable is of a newer version of this package.
  case unsupportedVersion(UInt32)
  /// The descriptor of that name is not open.
  case missingDescriptor(name: String, Errno)
  /// The descriptor of that name points to something else than the predecessor passed on.
  case foreignDescriptor(name: String)
}
