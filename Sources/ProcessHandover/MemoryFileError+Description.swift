internal import SystemPackage

extension MemoryFileError: CustomStringConvertible {
  /// What happened, and what to do about it where that is not plain.
  public var description: String {
    switch self {
    case .cannotOpen(let errno): "the file cannot be opened (\(errno))"
    case .cannotCreate(let errno) where errno == .noFunction || errno == .notPermitted:
      "this process may not make a file of memory (\(errno)); its sandbox may forbid memfd_create(2): "
        + "name a path on tmpfs instead"
    case .cannotCreate(let errno): "the file cannot be made (\(errno))"
    case .alreadyExists: "the file exists"
    case .isDirectory: "the path is a directory; name a file in it"
    case .notRegularFile: "the path is a device, a pipe or a socket, and not a file"
    case .danglingLink: "the path is a symbolic link to a file that does not exist; remove the link"
    case .untrustedLink:
      "the path is a symbolic link in a folder that every user may write; name the file itself"
    case .foreignOwner(let userID):
      "the file belongs to user \(userID), who could cut it off; use a file of this user's"
    case .writableByOthers(let permissions):
      "other users may write the file (mode \(String(permissions, radix: 8))); take that away with "
        + "`chmod 600`"
    case .untrustedFolder:
      "the folder /dev/shm/UID-memory is not this user's alone (mode 0700); remove it, or set "
        + "XDG_RUNTIME_DIR"
    case .emptyFile: "the file is empty"
    case .notWritable: "the descriptor is not open for reading and writing"
    case .cannotInspect(let errno): "the file cannot be looked at (\(errno))"
    case .cannotPublish(let errno): "the file cannot be given its name (\(errno))"
    case .cannotResize(let byteCount, .fileTooLarge):
      "the file cannot be made \(size(byteCount)) long: the limit on the size of files is lower "
        + "(ulimit -f), or the file system does not hold such a file"
    case .cannotResize(let byteCount, let errno):
      "the file cannot be made \(size(byteCount)) long (\(errno))"
    case .beyondCapacity(let byteCount, let capacity):
      "\(size(byteCount)) do not fit into the \(size(capacity)) that the file may grow to"
    case .cannotMap(let byteCount, let errno):
      "\(size(byteCount)) cannot be mapped (\(errno)); check the limit on address space (ulimit -v)"
    case .outOfSpace: "the file system has no more room"
    case .beyondMemoryLimit(let byteCount, let limit):
      "\(size(byteCount)) more memory would come too close to the limit of the control group, "
        + "\(size(limit)); free memory, or raise the limit (memory.max)"
    case .frozen:
      "the file is kept for a kernel update, or sealed: it can neither grow nor shrink at present"
    case .cannotBack(let errno): "the file system gives no storage (\(errno))"
    case .cannotRelease(let errno): "storage cannot be given back (\(errno))"
    case .cannotSynchronize(let errno): "the file cannot be written to the disk (\(errno))"
    }
  }
}

/// A number of bytes in the largest binary unit that divides it.
private func size(_ byteCount: UInt64) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  let power = byteCount == 0 ? 0 : min(byteCount.trailingZeroBitCount / 10, units.count - 1)
  return "\(byteCount >> UInt64(power * 10)) \(units[power])"
}
