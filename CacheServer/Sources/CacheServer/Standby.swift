internal import CacheCore
internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import ProcessHandover
internal import SystemPackage

/// A server that waits, with everything ready, for the end of the one that serves.
enum Standby {
  /// Why the wait is over.
  enum End: Sendable {
    /// No process uses the memory file any more.
    case turn
    /// A signal ends this server.
    case signal
  }

  /// How often signals are looked for, in seconds.
  private static let signalInterval = 0.05

  /// Waits until no process uses the memory file at `path`, or a signal ends this server. A signal that asks for an
  /// upgrade is kept until it serves.
  ///
  /// - Throws: `PreservedMemoryError`.
  static func wait(for path: FilePath) throws -> End {
    let outcome = NIOLockedValueBox<Result<Void, any Error>?>(nil)
    let isOver = ConditionLock(value: false)
    // A signal does not end the call, whose thread goes with the process.
    NIOThreadPool.singleton.submit { _ in
      let result = Result { try PreservedMemory.awaitRelease(of: path) }
      outcome.withLockedValue { $0 = result }
      isOver.lock()
      isOver.unlock(withValue: true)
    }
    while !isOver.lock(whenValue: true, timeoutSeconds: signalInterval) {
      if EarlySignals.isEndPending { return .signal }
    }
    isOver.unlock()
    try outcome.withLockedValue { $0 }?.get()
    return .turn
  }
}

extension Engine {
  /// Waits for the end of the server that uses the memory file at `path`, and serves.
  ///
  /// - Returns: false if a signal ended the wait.
  func standBy(
    for path: FilePath, _ box: GivenBox, _ manager: ServiceManager?
  ) throws -> Bool {
    // Everything is done once, so that it is done fast then.
    try Rehearsal.run(self)
    _ = containerByteLimit
    logger.notice("standing by for \(path), pid \(facts.processID)")
    try manager?.notifyReady()
    while true {
      guard try Standby.wait(for: path) == .turn else { return false }
      do {
        // Another standby may be faster. Only the one that gets the memory listens.
        let accepting = try locked {
          let memory = try configuration.openMemory(&box.given.descriptors, manager, logger)
          if listeners.isEmpty {
            do { listeners = try Listener.bindAll(configuration, Patience()) } catch {
              // A start that fails leaves no new file.
              if memory.cache.start == .created { SystemCalls.removeFile(path.string) }
              _ = memory.cache.close()
              throw error
            }
          }
          begin(with: memory)
          return acceptClients()
        }
        try accepting.wait()
        logReady()
        return true
      } catch let error as PreservedMemoryError {
        guard case .heldByAnother(.held) = error else { throw error }
      }
    }
  }
}
