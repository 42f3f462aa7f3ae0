import Dispatch
import MemoryAccess
import MemoryImages
import Synchronization

/// Lets two threads run one step at a time, in an order that a test chooses.
///
///     thread 0   ──step──┐        ┌──step──        each access to memory is a step
///     thread 1           └──step──┘
///
/// At any moment at most one of them runs; the others wait for their turn.
final class StepGate: Sendable {
  private let go = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
  private let arrived = DispatchSemaphore(value: 0)
  private let finished = Mutex([false, false])

  /// Waits for this thread's turn; called before each step.
  func wait(_ thread: Int) {
    arrived.signal()
    go[thread].wait()
  }

  /// Runs both bodies, and lets `choose` say whose step is next where both have one.
  ///
  /// - Parameter afterStep: called when no thread runs.
  func run(
    _ bodies: [@Sendable () -> Void], choose: () -> Int, afterStep: () -> Void
  ) {
    for (thread, body) in bodies.enumerated() {
      DispatchQueue.global().async {
        body()
        self.finished.withLock { $0[thread] = true }
        self.arrived.signal()
      }
      arrived.wait()
    }
    while true {
      let isFinished = finished.withLock { $0 }
      if isFinished == [true, true] { return }
      let thread = isFinished[0] ? 1 : isFinished[1] ? 0 : choose()
      go[thread].signal()
      arrived.wait()
      afterStep()
    }
  }
}

/// Memory in which one thread's accesses to single words wait for their turn.
struct SteppedMemory: WritablePhysicalMemory {
  let base: AnonymousMemory
  let gate: StepGate
  let thread: Int

  func contains(_ range: PhysicalRange) -> Bool { base.contains(range) }
  var byteCount: UInt64 { base.byteCount }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    base.storedRange(atOrAfter: address)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try base.withBytes(in: range, body)
  }

  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    gate.wait(thread)
    return try base.withWords(at: address, count: count, body)
  }

  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try base.withMutableBytes(in: range, body)
  }
}
