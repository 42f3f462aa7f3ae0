internal import KexecHandover

extension MemoryFileError {
  /// What happened, as it follows `kho: PATH: `.
  var sentence: String {
    switch self {
    case .cannotOpen(let errno): "the file cannot be opened (\(errno))"
    case .cannotCreate(let errno): "the file cannot be made (\(errno))"
    case .alreadyExists: "there is a file already"
    case .isDirectory: "the path is a directory; name a file in it"
    case .notRegularFile: "the path is a device, a pipe or a socket, and no file"
    case .emptyFile: "the file is empty"
    case .notWritable: "the descriptor is not open for reading and writing"
    case .cannotInspect(let errno): "the file cannot be looked at (\(errno))"
    case .cannotPublish(let errno): "the file cannot be given its name (\(errno))"
    case .cannotResize(let byteCount, let errno):
      "the file cannot be made \(byteText(byteCount)) long (\(errno))"
    case .beyondCapacity(let byteCount, let capacity):
      "\(byteText(byteCount)) do not fit into the \(byteText(capacity)) that the file may grow to"
    case .cannotMap(let byteCount, let errno):
      "\(byteText(byteCount)) cannot be mapped (\(errno)); check the limit on address space (ulimit -v)"
    case .outOfSpace: "the file system has no more room"
    case .cannotBack(let errno): "the file system gives no storage (\(errno))"
    case .cannotRelease(let errno): "storage cannot be given back (\(errno))"
    case .cannotSynchronize(let errno): "the file cannot be written to the disk (\(errno))"
    }
  }
}

extension WriterLockError {
  /// What happened, as it follows `kho: PATH: `.
  var sentence: String {
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
