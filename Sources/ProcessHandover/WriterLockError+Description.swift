import MemoryAccess

extension MemoryFileError {
  /// What happened, as it follows `kho: PATH: `.
  package var sentence: String { description }
}

extension WriterLockError {
  /// What happened, as it follows `kho: PATH: `.
  package var sentence: String {
    switch self {
    case .held(let holder?):
      "process \(holder.processID)"
        + (holder.command.map { " (\(printable($0)))" } ?? "") + " has the memory"
    case .held(nil): "another process has the memory"
    case .cannotOpen(let errno): "the lock cannot be opened (\(errno))"
    case .cannotLock(let errno): "the file system does not lock the file (\(errno))"
    case .cannotInspect(let errno): "the lock cannot be looked at (\(errno))"
    case .foreignDescriptor: "the lock that was handed on is that of another file"
    case .notHeld: "the lock that was handed on is not held"
    }
  }
}

extension WriterLockError: CustomStringConvertible {
  /// What was found, as a part of a sentence.
  public var description: String { sentence }
}
