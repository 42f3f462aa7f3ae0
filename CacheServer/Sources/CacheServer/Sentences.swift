internal import CacheCore
internal import KexecHandover
internal import PersistentCollections

/// What went wrong, for people, as it follows `cache-server: FILE: `.
protocol ErrorForPeople: Error {
  var sentence: String { get }
}

/// What went wrong, for people where somebody has written it down.
func sentence(of error: any Error) -> String {
  (error as? any ErrorForPeople)?.sentence ?? "\(error)"
}

extension CacheOpenError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .memory(let error): error.sentence
    case .map(let error): error.sentence
    case .foreign(let names):
      "it is the memory of something else, with \(names.prefix(3).joined(separator: ", ")) in it"
    case .unknownLayout(let version):
      "another version of this server has made it, with layout \(version); this one reads layout \(Self.knownLayout)"
    case .booksDamaged: "it is damaged: its figures are not what any version writes"
    }
  }
}

extension PersistentCollectionError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .limitReached: "the entries take more than they may"
    case .memory(let error): error.sentence
    case .damaged(let address): "it is damaged: what lies at \(address) cannot be"
    case .unknownLayout(let version):
      "its map is of layout \(version), which another version of this server has made"
    case .notThisCollection: "it holds something else than a map under the name of the cache's"
    case .transactionTooLarge: "a change is too large to be undone"
    case .tooLarge: "a key or a value is too large"
    }
  }
}

extension PreservedMemoryError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .file(let error): error.sentence
    case .contents(.superblock(.notMemoryFile(_))): "it is no memory file"
    case .contents(.superblock(.versionUnknown(let version))):
      "it is a memory file of layout \(version), which a newer version has made"
    case .contents(.superblock(.truncated(let byteCount, let wanted))):
      "a part is missing: the memory has \(wanted) bytes, and the file \(byteCount)"
    case .contents(.superblock(.tooShort(let byteCount))):
      "its \(byteCount) bytes are too few for a memory file"
    case .contents(.superblock(.headerDamaged)): "it is damaged: bits of its header have changed"
    case .contents(.superblock(.stateDamaged)): "it is damaged: bits of its state have changed"
    case .contents(let error): "it is damaged: \(error)"
    case .heldByAnother(.held(let holder?)):
      "process \(holder.processID)" + (holder.command.map { " (\(Self.printable($0)))" } ?? "")
        + " serves from it"
    case .heldByAnother(.held(nil)): "another process serves from it"
    case .heldByAnother(let error): "it cannot be locked: \(error)"
    case .full(_, let byteCount): "it has grown to \(byteCount) bytes and is full"
    case .outOfStorage(let error): error.sentence
    default: "it cannot be used: \(self)"
    }
  }

  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.map { (" "..."~").contains($0) ? Character($0) : "?" })
  }
}

extension MemoryFileError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .cannotOpen(let errno): "it cannot be opened (\(errno))"
    case .cannotCreate(let errno): "it cannot be made (\(errno))"
    case .alreadyExists: "there is a file already"
    case .isDirectory: "it is a directory; name a file in it"
    case .notRegularFile: "it is a device, a pipe or a socket, and no file"
    case .emptyFile: "it is empty, and no memory file"
    case .outOfSpace: "the file system has no more room"
    case .cannotMap(let byteCount, let errno):
      "\(byteCount) bytes cannot be mapped (\(errno)); check the limit on addresses (ulimit -v)"
    case .beyondCapacity(let byteCount, let capacity):
      "its \(byteCount) bytes do not fit into the capacity of \(capacity)"
    default: "it cannot be used: \(self)"
    }
  }
}

extension SuccessorError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .cannotPass(let name, let errno): "\(name) cannot be passed on (\(errno))"
    case .cannotExecute(let errno), .cannotSpawn(let errno): "\(errno)"
    case .malformedVariable: "the variable KHO_HANDOVER is malformed"
    case .unsupportedVersion(let version):
      "a newer program has passed it on, in version \(version)"
    case .missingDescriptor(let name, let errno): "\(name) is not open (\(errno))"
    case .foreignDescriptor(let name): "\(name) is something else than was passed on"
    }
  }
}
