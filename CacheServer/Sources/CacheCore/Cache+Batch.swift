internal import PersistentCollections
internal import ProcessHandover

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension Cache {
  /// Reads the clock; called before the first command of those that have come together.
  ///
  /// - Parameter time: the time, in milliseconds since 1970; nil to read it.
  /// - Returns: the time.
  @discardableResult
  public mutating func beginBatch(at time: UInt64? = nil) -> UInt64 {
    let time = time ?? Self.currentTime()
    if time < now { clockSkew &+= now &- time }
    now = time
    timing.beginBatch()
    return now
  }

  /// Stores the figures; called after the last command, before the replies are sent.
  public mutating func endBatch() {
    ledger.store(figures, accessClock: accessClock, in: &map.memory)
    storeDatabases()
    peakByteCount = max(peakByteCount, map.storageByteCount)
  }

  /// Microseconds since 1970.
  static func currentMicroseconds() -> UInt64 {
    var time = timespec()
    // SAFETY: the call fills the structure.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) &* 1_000_000 &+ UInt64(time.tv_nsec) / 1000
  }

  /// Milliseconds since 1970.
  static func currentTime() -> UInt64 { currentMicroseconds() / 1000 }
}
