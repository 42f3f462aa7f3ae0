#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

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

  /// Opens the memory; called once.
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
