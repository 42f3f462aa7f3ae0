/// Free ports of 127.0.0.1.
public struct FreePorts: Sendable {
  private var next: Int

  /// Different ones for different processes, outside the range that the kernel gives to clients.
  public init() { next = 20_000 + Int(SystemCalls.ownProcess) * 7 % 8_000 }

  /// One more.
  public mutating func take() -> UInt16 {
    while true {
      next = next >= 28_000 ? 20_000 : next + 1
      if SystemCalls.isPortFree(UInt16(next)) { return UInt16(next) }
    }
  }
}
