internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Signals that come before the service is started: clients are served as soon as the memory is
/// open, and everything asynchronous starts after that.
///
/// They are kept until then, so that no upgrade is forgotten, and the server never ends with its memory
/// marked as in use.
enum EarlySignals {
  private static let end = Atomic(false)
  private static let upgrade = Atomic(false)

  /// Takes the signals, until the service traps them.
  static func take() {
    // A client that has gone is never a reason to end, and neither is a terminal.
    _ = signal(SIGPIPE, SIG_IGN)
    _ = signal(SIGHUP, SIG_IGN)
    _ = signal(SIGUSR2) { _ in EarlySignals.upgrade.store(true, ordering: .relaxed) }
    for number in [SIGTERM, SIGINT] {
      _ = signal(number) { _ in EarlySignals.end.store(true, ordering: .relaxed) }
    }
  }

  /// Whether the server got the signal to end meanwhile.
  static var wantEnd: Bool { end.load(ordering: .relaxed) }

  /// Whether it got the signal to start again meanwhile.
  static var wantUpgrade: Bool { upgrade.load(ordering: .relaxed) }
}
