internal import CacheCore
internal import Logging
internal import ProcessHandover

/// The memory, and the cache in it.
struct OpenedMemory: ~Copyable {
  let file: MemoryFile
  var cache: Cache

  /// Opens the cache in `memory`.
  ///
  /// - Throws: `CacheOpenError`.
  init(_ memory: consuming PreservedMemory, _ settings: Settings) throws {
    file = memory.file
    cache = try Cache(in: memory, settings: settings)
  }

  /// What is known about the process that has the memory, if `error` reports one.
  static func hold(_ error: any Error) -> Patience.Hold {
    guard let error = error as? PreservedMemoryError, case .heldByAnother(.held(let holder)) = error
    else { return .lasting }
    guard let holder else { return .unseen }
    if SystemCalls.isEnding(holder.processID) { return .ending }
    return .unclear
  }
}

extension ServerConfiguration {
  /// Opens the memory, or makes it where there is none.
  ///
  /// - Throws: `PreservedMemoryError`, `CacheOpenError`, `ServiceManagerError`.
  func openMemory(
    _ descriptors: inout ReceivedDescriptors, _ manager: ServiceManager?, _ logger: Logger
  ) throws -> OpenedMemory {
    let memory = try findMemory(&descriptors, manager, logger)
    if memory.file.storage == .disk {
      logger.warning(
        """
        the memory file \(memoryFile) is on a disk: every write is slower, and what SAVE has not \
        written there may be lost or torn when the machine ends without warning
        """)
    }
    return try OpenedMemory(memory, settings)
  }

  private func findMemory(
    _ descriptors: inout ReceivedDescriptors, _ manager: ServiceManager?, _ logger: Logger
  ) throws -> PreservedMemory {
    switch place {
    case .path(let path):
      return try PreservedMemory.open(path, growableTo: capacity)
    case .memfd(let name):
      let stored = try PreservedMemory.stored(
        in: &descriptors, named: name, growableTo: capacity)
      if let stored { return stored }
      let memory = try PreservedMemory(
        creating: .memfd(name: name), growableTo: capacity)
      guard let manager else {
        logger.warning(
          "no service manager keeps the memory \(memoryFile): it ends with the server"
        )
        return memory
      }
      try memory.store(with: manager, named: name)
      return memory
    }
  }
}
