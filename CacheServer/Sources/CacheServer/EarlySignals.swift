#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Signals that come before the service is started: clients are served as soon as the memory is
/// open, and everything asynchronous starts after that.
///
/// They are blocked in all threads, so the kernel keeps them until the service reads them by signalfd(2). No upgrade is
/// forgotten, and the server never ends with its memory marked as in use.
enum EarlySignals {
  private static let ends = [SIGTERM, SIGINT]

  /// Keeps the signals that the service handles, from now on.
  ///
  /// - Precondition: the process has one thread, from which others inherit what is blocked.
  static func hold() {
    // A client that has gone is never a reason to end.
    _ = signal(SIGPIPE, SIG_IGN)
    var signals = sigset_t()
    // SAFETY: the calls fill and read a value of this function.
    unsafe sigemptyset(&signals)
    for number in ends + [SIGHUP, SIGUSR2] { unsafe sigaddset(&signals, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Whether a signal to end has come that the service has not read.
  static var isEndPending: Bool {
    var signals = sigset_t()
    // SAFETY: the calls fill and read a value of this function.
    guard unsafe sigpending(&signals) == 0 else { return false }
    return ends.contains { unsafe sigismember(&signals, $0) == 1 }
  }
}
