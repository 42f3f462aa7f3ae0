internal import Glibc

/// How a process ended.
public enum ProcessEnd: Equatable, Sendable, CustomStringConvertible {
  /// By itself.
  case exited(Int32)
  /// By a signal.
  case killed(signal: Int32)

  /// In words.
  public var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .killed(let signal): "signal \(signal)"
    }
  }
}

/// The signals that the trials send.
public enum SignalNumber {
  /// SIGKILL.
  public static let kill: Int32 = SIGKILL
  /// SIGUSR1.
  public static let user1: Int32 = SIGUSR1
  /// SIGUSR2.
  public static let user2: Int32 = SIGUSR2
  /// SIGTERM.
  public static let terminate: Int32 = SIGTERM
  /// SIGCONT.
  public static let resume: Int32 = SIGCONT
  /// SIGSTOP.
  public static let stop: Int32 = SIGSTOP
}
