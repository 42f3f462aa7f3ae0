internal import Platform
public import SystemPackage

/// Lets go of a memory file at once when the process is killed, however much of it is mapped.
///
/// When a process ends, the kernel unmaps its memory before it closes its descriptors, and that takes
/// tens of milliseconds for each gigabyte of small pages. As long, the lock of the memory file and the
/// process's sockets have no owner, and the next client is refused. A keeper is another process
/// that shares the memory, and does nothing: the killed process's descriptors are closed at once. The keeper
/// takes the memory apart by ending, a tenth of a second later, when the next program has started, and only while
/// no other process wants the processor (`SCHED_IDLE`).
///
///     _ = try? MemoryKeeper.start()
///
/// It is called `kho-keeper`, has a process group of its own, is a child of init, and ends with
/// this process, however that ends, or when it calls execve(2). It has no descriptor of this process.
/// What it costs: a few kilobytes, and a second process in the statistics with the same memory. A service
/// manager that kills all processes of a service at once, and waits for them, gains nothing by it: with
/// systemd, `KillMode=process` or `mixed`.
public enum MemoryKeeper {
  /// Starts the keeper of this process, if none runs.
  ///
  /// - Returns: its process identifier.
  /// - Throws: ``MemoryKeeperError``; everything works without a keeper, and more slowly after a crash.
  @discardableResult
  public static func start() throws(MemoryKeeperError) -> Int32 {
    do throws(Errno) {
      return try SystemCalls.startKeeper()
    } catch {
      throw error == .notSupported ? .notSupported : .cannotStart(error)
    }
  }

  /// The keeper's process identifier; nil where none runs.
  public static var processID: Int32? {
    SystemCalls.keeperID
  }

  /// Ends the keeper, and waits until it has left the memory; does nothing where none runs.
  public static func stop() { SystemCalls.stopKeeper() }
}

/// Why a process has no keeper.
@nonexhaustive
public enum MemoryKeeperError: Error, Equatable, Sendable {
  /// A process under the thread sanitizer cannot have a keeper.
  case notSupported
  /// clone(2), pipe(2) or another call failed.
  case cannotStart(Errno)
}

extension MemoryKeeperError: CustomStringConvertible {
  /// What was found, as a part of a sentence.
  public var description: String {
    switch self {
    case .notSupported: "a process under the thread sanitizer cannot have a keeper"
    case .cannotStart(let errno): "the keeper cannot be started (\(errno))"
    }
  }
}
