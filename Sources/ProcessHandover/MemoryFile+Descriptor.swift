internal import Platform
public import SystemPackage

extension MemoryFile {
  /// Calls `body` with the file's descriptor, to pass it on. It stays this object's: `body` neither
  /// closes nor keeps it.
  public func withDescriptor<Result: ~Copyable, Failure: Error>(
    _ body: (FileDescriptor) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withExtendedLifetime(self) { () throws(Failure) -> Result in
      try body(file.descriptor)
    }
  }

  /// Whether nobody can cut bytes off the file any more (F_SEAL_SHRINK): never of a file at a path.
  public var isSealedAgainstShrinking: Bool {
    SystemCalls.isSealedAgainstShrinking(file.descriptor)
  }
}
