internal import NIOCore

/// How long a start waits for what a process that was just killed still holds: the kernel may need a
/// moment to take it apart, and a busy machine more of them.
struct Patience: Sendable {
  /// What is known about the process that holds something.
  enum Hold {
    /// It serves, or it is not about a process at all.
    case lasting
    /// It may have been killed.
    case unclear
    /// It cannot be seen: it is being taken apart, or in another container.
    case unseen
    /// It was killed.
    case ending
  }

  private let start = NIODeadline.now()

  /// What `body` gives, tried again while it fails for a reason that may pass, and there is time.
  func wait<Result: ~Copyable>(
    for body: () throws -> Result, after hold: (any Error) -> Hold
  ) throws -> Result {
    var pause: UInt32 = 100
    while true {
      do { return try body() } catch {
        let limit: TimeAmount =
          switch hold(error) {
          case .lasting: .zero
          case .unclear: .seconds(1)
          case .unseen: .seconds(5)
          case .ending: .seconds(30)
          }
        guard NIODeadline.now() < start + limit else { throw error }
      }
      SystemCalls.wait(microseconds: pause)
      pause = min(pause * 2, 5000)
    }
  }
}
