/// The entries that one handover has and another does not, found by walking both at once.
public struct EntryDifference {
  /// One of the two handovers.
  public enum Side: Hashable, Sendable {
    /// The first.
    case a
    /// The second.
    case b
  }

  /// What was found, in bytes and entries; bytes stop at 2^64 − 1.
  public struct Sum: Hashable, Sendable {
    /// The number of entries.
    public fileprivate(set) var entryCount: UInt64 = 0
    /// Their bytes.
    public fileprivate(set) var byteCount: UInt64 = 0

    fileprivate mutating func add(_ run: SizedRun) {
      entryCount &+= run.blockCount
      let (sum, overflow) = byteCount.addingReportingOverflow(run.byteCount)
      byteCount = overflow ? .max : sum
    }
  }

  /// The entries that only A has.
  public private(set) var onlyA = Sum()
  /// The entries that only B has.
  public private(set) var onlyB = Sum()
  /// The entries that both have.
  public private(set) var common = Sum()

  private var pendingA: SizedRun?
  private var pendingB: SizedRun?

  /// Walks both and calls `body` with each stretch that only one has, as long as can be.
  ///
  /// Both come sorted by address, then by size. Keeps one run of each, whatever the number.
  ///
  /// - Complexity: O(runs of both).
  public init(
    _ nextOfA: () -> SizedRun?, _ nextOfB: () -> SizedRun?, _ body: (Side, SizedRun) -> Void
  ) {
    var a = nextOfA()
    var b = nextOfB()
    while true {
      switch (a, b) {
      case (nil, nil):
        flush(.a, body)
        flush(.b, body)
        return
      case (let run?, nil):
        add(run, .a, body)
        a = nextOfA()
      case (nil, let run?):
        add(run, .b, body)
        b = nextOfB()
      case (let runA?, let runB?):
        if runA.startsBefore(runB) {
          let (first, rest) = runA.split(runA.blockCount(before: runB))
          add(first, .a, body)
          a = rest ?? nextOfA()
        } else if runB.startsBefore(runA) {
          let (first, rest) = runB.split(runB.blockCount(before: runA))
          add(first, .b, body)
          b = rest ?? nextOfB()
        } else {
          let count = min(runA.blockCount, runB.blockCount)
          let (first, restA) = runA.split(count)
          common.add(first)
          a = restA ?? nextOfA()
          b = runB.split(count).rest ?? nextOfB()
        }
      }
    }
  }

  private mutating func add(_ run: SizedRun, _ side: Side, _ body: (Side, SizedRun) -> Void) {
    switch side {
    case .a:
      onlyA.add(run)
      if let longer = pendingA?.joined(with: run) {
        pendingA = longer
        return
      }
      flush(.a, body)
      pendingA = run
    case .b:
      onlyB.add(run)
      if let longer = pendingB?.joined(with: run) {
        pendingB = longer
        return
      }
      flush(.b, body)
      pendingB = run
    }
  }

  private mutating func flush(_ side: Side, _ body: (Side, SizedRun) -> Void) {
    switch side {
    case .a:
      if let run = pendingA { body(.a, run) }
      pendingA = nil
    case .b:
      if let run = pendingB { body(.b, run) }
      pendingB = nil
    }
  }
}
