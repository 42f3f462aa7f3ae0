internal import CacheCore
internal import Logging
internal import ProcessHandover

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The memory, and the cache in it.
struct OpenedMemory: ~Copyable {
  let file: MemoryFile
  var cache: Cache

  /// - Throws: `CacheOpenError`.
  init(_ memory: consuming PreservedMemory, _ settings: Settings) throws {
    file = memory.file
    cache = try Cache(in: memory, settings: settings)
  }

  /// How long it may pass that another process has the memory.
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

/// Opens the memory on a thread of its own, while the caller makes the event loops: each takes about as long.
///
/// `@unchecked Sendable`: the thread has everything until it ends, and the caller after that.
final class MemoryOpening: @unchecked Sendable {
  private let open: () throws -> OpenedMemory
  private var memory: OpenedMemory?
  private var failure: (any Error)?
  /// How many bytes the container may take that the process is in; known when the memory is open.
  private(set) var containerByteLimit: UInt64?
  /// `nil` after the thread has ended, and if none could be started.
  private var thread: pthread_t?

  /// Begins to open the memory by `open`.
  init(_ open: @escaping () throws -> OpenedMemory) {
    self.open = open
    var thread = pthread_t()
    // SAFETY: the thread takes over the reference.
    let argument = unsafe Unmanaged.passRetained(self)
    let result = unsafe pthread_create(
      &thread, nil,
      { argument in
        let argument: UnsafeMutableRawPointer? = unsafe argument
        unsafe Unmanaged<MemoryOpening>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, unsafe argument.toOpaque())
    if result == 0 {
      self.thread = thread
    } else {
      // SAFETY: no thread has it.
      unsafe argument.release()
      run()
    }
  }

  private func run() {
    do {
      memory = try open()
      containerByteLimit = SystemCalls.containerByteLimit()
    } catch {
      failure = error
    }
  }

  /// Waits until the memory is open, and returns it.
  ///
  /// - Precondition: the first call that does not throw takes the memory; there is none after that.
  /// - Throws: what `open` has thrown.
  func wait() throws -> OpenedMemory {
    join()
    if let failure { throw failure }
    guard let memory = memory.take() else { preconditionFailure("the memory was taken before") }
    return memory
  }

  /// Waits for the thread to end.
  private func join() {
    guard let thread else { return }
    // The thread was started, and is joined once.
    pthread_join(thread, nil)
    self.thread = nil
  }
}
