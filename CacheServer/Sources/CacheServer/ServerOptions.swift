internal import CacheCore
internal import KexecHandover
internal import SystemPackage

/// What the operator has said, as it was said.
struct ServerOptions: Equatable {
  var port: UInt16 = 6379
  var address = "127.0.0.1"
  var memoryFile = "/dev/shm/cache-server"
  var maximumByteCount: UInt64 = 0
  var policy = Settings.Policy.noeviction
  var capacity: UInt64?

  /// What it means.
  ///
  /// - Throws: ``OptionError``.
  func configuration(
    executable: FilePath, arguments: [String]
  ) throws(OptionError) -> ServerConfiguration {
    if let capacity {
      guard capacity >= 1 << 20 else {
        throw OptionError(sentence: "the capacity has to be at least 1mb, not \(capacity) bytes")
      }
    }
    return ServerConfiguration(
      port: Int(port), address: address, place: try place,
      settings: Settings(maximumByteCount: maximumByteCount, policy: policy),
      capacity: capacity ?? PreservedMemory.standardCapacity, executable: executable,
      arguments: arguments)
  }

  private var place: ServerConfiguration.Place {
    get throws(OptionError) {
      guard memoryFile.hasPrefix("memfd:") else {
        guard !memoryFile.isEmpty, !memoryFile.utf8.contains(0) else {
          throw OptionError(sentence: "the memory file has no name")
        }
        return .path(FilePath(memoryFile))
      }
      let name = String(memoryFile.dropFirst(6))
      guard NamedDescriptor.isValidName(name), !name.contains(" ") else {
        throw OptionError(sentence: "memfd: needs a name of 1 to 64 printable characters")
      }
      return .memfd(name: name)
    }
  }
}

/// What cannot be meant.
struct OptionError: ErrorForPeople, Equatable {
  let sentence: String
}
