internal import Glibc

extension SystemCalls {
  /// Nanoseconds of CLOCK_MONOTONIC.
  public static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

  /// Milliseconds since 1970, CLOCK_REALTIME.
  public static var realtimeMilliseconds: UInt64 { nanoseconds(CLOCK_REALTIME) / 1_000_000 }

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    // SAFETY: `time` outlives the call, which cannot fail for these clocks.
    _ = unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Waits that long.
  public static func sleep(milliseconds: Int) {
    _ = usleep(UInt32(clamping: milliseconds) * 1000)
  }

  /// The same.
  public static func sleep(microseconds: Int) { _ = usleep(UInt32(clamping: microseconds)) }
}

/// The time between two instants of ``SystemCalls/monotonicNanoseconds``, in milliseconds.
public func milliseconds(_ start: UInt64, _ end: UInt64) -> Double {
  Double(end) / 1e6 - Double(start) / 1e6
}
