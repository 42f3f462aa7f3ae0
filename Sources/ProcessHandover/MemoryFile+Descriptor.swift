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

  /// Whether no process can cut bytes off the file any more (F_SEAL_SHRINK): never of a file at a path.
  public var isSealedAgainstShrinking: Bool {
    SystemCalls.seals(of: file.descriptor).contains(.shrink)
  }

  /// What becomes of the file in a kernel update: in what state Live Update (`/dev/liveupdate`, or a
  /// service manager that uses it) gives it to the next kernel.
  public var kernelUpdate: KernelUpdateFate {
    switch storage {
    case .disk: return .notNeeded
    case .hugetlbfs: return .lost
    case .memfd:
      return SystemCalls.seals(of: file.descriptor).contains(.execute) ? .readOnly : .kept
    case .tmpfs:
      let status = try? SystemCalls.status(of: file.descriptor)
      return status?.linkCount == 0 ? .kept : .lost
    }
  }
}
