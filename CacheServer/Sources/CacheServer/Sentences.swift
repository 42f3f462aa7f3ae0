internal import CacheCore
internal import KexecHandover
internal import NIOCore
internal import PersistentCollections
internal import SystemPackage

/// What went wrong, for people, as it follows `cache-server: FILE: `.
protocol ErrorForPeople: Error {
  var sentence: String { get }
}

/// What went wrong, in words for the operator.
func sentence(of error: any Error) -> String {
  switch error {
  case let error as any ErrorForPeople: error.sentence
  case let error as Errno: "\(error)"
  case let error as IOError: "\(Errno(rawValue: error.errnoCode))"
  default: "an unexpected error (\(error))"
  }
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
    case .damaged(let address): "it is damaged: the bytes at \(address) are invalid"
    case .unknownLayout(let version):
      "its map is of layout \(version), which another version of this server has made"
    case .notThisCollection: "it holds something else than a map under the name of the cache's"
    case .transactionTooLarge: "a change is too large to be undone"
    case .tooLarge: "a key or a value is too large"
    case .readOnly, .changing: description
    @unknown default: description
    }
  }
}

extension PreservedMemoryError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .file(let error): error.sentence
    case .contents(.superblock(.notMemoryFile(_))): "it is not a memory file"
    case .contents(.superblock(.versionUnknown(let version))):
      "it is a memory file of layout \(version), which a newer version has made"
    case .contents(.superblock(.truncated(let byteCount, let wanted))):
      "a part is missing: the memory has \(wanted) bytes, and the file \(byteCount)"
    case .contents(.superblock(.tooShort(let byteCount))):
      "its \(byteCount) bytes are too few for a memory file"
    case .contents(.superblock(.headerDamaged)): "it is damaged: bits of its header have changed"
    case .contents(.superblock(.stateDamaged)): "it is damaged: bits of its state have changed"
    case .contents(.superblock(.pageShiftUnknown(let shift))):
      "it is damaged: its pages would have 2^\(shift) bytes"
    case .contents(.superblock(.featuresUnknown(_))), .contents(.ledgerVersionUnknown(_)),
      .collectionsNotKept(_), .partOfCollections(_), .typeNotPreservable(_):
      description
    case .contents(.superblock(.selectorDamaged(_))):
      "it is damaged: it does not mark which of its two states is current"
    case .contents(.superblock(.stateImpossible)):
      "it is damaged: its state is not one that any version writes"
    case .contents(.deviceTreeChanged(let address)):
      "it is damaged: bits of the device tree at \(address) have changed"
    case .contents(.damaged(_)):
      "it is damaged: what is preserved in it cannot be (kho check prints what is wrong)"
    case .contents(.versionNotWritable(let version)):
      "its handover is of version \(version), which this server can read and not write"
    case .contents(.changeDamaged):
      "it is damaged: the record of a change that was under way has changed"
    case .heldByAnother(.held(let holder?)):
      "process \(holder.processID)" + (holder.command.map { " (\(Self.printable($0)))" } ?? "")
        + " serves from it"
    case .heldByAnother(.held(nil)): "another process serves from it"
    case .heldByAnother(.cannotOpen(let errno)), .heldByAnother(.cannotLock(let errno)),
      .heldByAnother(.cannotInspect(let errno)):
      "it cannot be locked (\(errno))"
    case .heldByAnother(.foreignDescriptor), .heldByAnother(.notHeld):
      "the lock that was passed on is not the lock of this file"
    case .full(_, let byteCount): "it has grown to \(byteCount) bytes and is full"
    case .outOfStorage(let error): error.sentence
    case .outOfProcessMemory(let byteCount):
      "\(byteCount) bytes of memory cannot be had to keep account of it"
    case .nameTaken: "something else has the cache's name in it"
    case .noSuchName: "the cache's name is missing in it"
    case .sizeDiffers(let byteCount, let wanted):
      "what has the cache's name in it has \(byteCount) bytes, not \(wanted)"
    case .channel(let error): error.sentence
    case .nothingReceived: "the predecessor has sent no memory"
    case .handover(_), .incoming(_):
      "it is damaged: what is preserved in it cannot be (kho check prints what is wrong)"
    @unknown default: description
    }
  }

  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.map { (" "..."~").contains($0) ? Character($0) : "?" })
  }
}

extension MemoryFileError: ErrorForPeople {
  var sentence: String { description }
}

extension DescriptorChannelError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .invalidAddress: "the address of the socket is empty or too long"
    case .addressInUse: "another process listens at the address"
    case .cannotListen(let errno): "no socket can listen (\(errno))"
    case .cannotConnect(let errno): "no socket can be had (\(errno))"
    case .notPacketSocket: "what was passed on is not a socket of packets"
    case .foreignPeer(let userID): "the other end belongs to user \(userID)"
    case .cannotSend(let errno): "nothing can be sent (\(errno))"
    case .cannotReceive(let errno): "nothing can be received (\(errno))"
    case .timedOut: "the other end did nothing for too long"
    case .closed: "the other end has closed the channel"
    case .truncated:
      "a message came without all of its descriptors: more are needed than the limit allows (ulimit -n)"
    case .malformedMessage: "the other end has sent something unexpected"
    case .unsupportedVersion(let version):
      "the other end speaks version \(version), which this server does not know"
    case .refused(let code): "the other end has refused (code \(code))"
    @unknown default: description
    }
  }
}

extension ServiceManagerError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .malformedEnvironment: "LISTEN_PID, LISTEN_FDS or LISTEN_FDNAMES is malformed"
    case .missingDescriptor(let number, let errno):
      "descriptor \(number), which it passes on, is not open (\(errno))"
    case .unsupportedAddress: "NOTIFY_SOCKET is not the address of a UNIX socket"
    case .cannotNotify(let errno): "it cannot be notified (\(errno))"
    @unknown default: description
    }
  }
}

extension MemoryKeeperError: ErrorForPeople {
  var sentence: String {
    switch self {
    case .notSupported: "there is none under the thread sanitizer"
    case .cannotStart(let errno): "\(errno)"
    @unknown default: description
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
    @unknown default: description
    }
  }
}
