extension Duration {
  /// Whole milliseconds.
  package var milliseconds: UInt64 {
    UInt64(clamping: components.seconds) &* 1000
      &+ UInt64(clamping: components.attoseconds / 1_000_000_000_000_000)
  }
}
