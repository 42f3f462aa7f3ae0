import Platform

/// A timer of the kernel that ends this process with SIGKILL, at whatever instruction it is then:
/// timer_create(2). On a busy machine it is more exact than another process.
@safe
struct KillTimer {
  /// Only passed back to the kernel, whose first one is 0, nil.
  private let timer: timer_t?
  private let exists: Bool

  init() {
    // SAFETY: of its pointers, which stay nil, none is used for a signal.
    var event = unsafe sigevent()
    unsafe event.sigev_notify = CInt(SIGEV_SIGNAL)
    unsafe event.sigev_signo = SIGKILL
    var timer: timer_t?
    // SAFETY: both outlive the call.
    exists = unsafe timer_create(CLOCK_MONOTONIC, &event, &timer) == 0
    unsafe self.timer = timer
  }

  /// Lets the process live `nanoseconds` longer.
  func start(nanoseconds: UInt64) {
    guard exists else { return }
    var time = itimerspec()
    // 0 would stop the timer.
    time.it_value.tv_nsec = Int(max(nanoseconds, 1) % 1_000_000_000)
    time.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
    // SAFETY: `time` outlives the call.
    _ = unsafe timer_settime(timer, 0, &time, nil)
  }
}
