package import KexecHandover
internal import Platform
internal import SystemPackage

/// Supervises the generations of the demo: starts the first, kills one, starts the one after it, and
/// keeps the file's descriptor meanwhile, as a service manager does.
package struct DemoRun {
  package let file: MemoryFile
  package let ledger: DemoLedger
  package let capacity: UInt64
  package let killed: UInt64
  package let seed: UInt64
  private let program: Successor
  private var current: ChildProcess

  /// Makes the memory, and starts the first generation with it.
  package init(
    _ place: MemoryFilePlace, capacity: UInt64, killed: UInt64, seed: UInt64,
    worker arguments: [String]
  ) throws(DemoFailure) {
    var memory = try DemoFailure.unless("the memory cannot be made") {
      () throws(PreservedMemoryError) in
      try PreservedMemory(creating: place, byteCount: capacity / 4, growableTo: capacity)
    }
    let range: PhysicalRange
    do throws(PreservedMemoryError) {
      range = try memory.makeRegion(
        named: DemoLedger.name, byteCount: DemoLedger.byteCount(generations: killed))
    } catch {
      throw DemoFailure("the memory cannot be used: \(error.sentence)")
    }
    file = memory.file
    ledger = DemoLedger(memory: file, range: range)
    self.capacity = capacity
    self.killed = killed
    self.seed = seed
    program = ChildProcess.program(arguments)
    ledger[1, .start] = SystemCalls.monotonicNanoseconds
    do throws(SuccessorError) {
      current = ChildProcess(
        try memory.handOver(
          toChild: program))
    } catch {
      throw DemoFailure(error.sentence)
    }
  }

  /// Watches until all generations are done.
  ///
  /// - Parameter report: called when the generation's phase is another, and every now and then.
  package mutating func run(_ report: (UInt64, DemoLedger.Phase, _ isNew: Bool) -> Void)
    throws(DemoFailure)
  {
    var generation: UInt64 = 1
    var phase = DemoLedger.Phase.notThere
    while true {
      let found = ledger.phase(of: generation)
      report(generation, found, found != phase)
      phase = found
      if generation == killed, found == .verified, ledger[generation, .steps] >= 3 {
        try killInWork()
        phase = .notThere
        generation += 1
        continue
      }
      if found == .done, generation < killed {
        phase = .notThere
        generation += 1
        continue
      }
      if let end = current.poll() {
        let last = ledger.phase(of: generation)
        if last != found { report(generation, last, true) }
        guard end == .exited(0), last == .done, generation > killed else {
          throw DemoFailure("generation \(generation) came to an end by itself")
        }
        return
      }
      usleep(1000)
    }
  }

  /// Kills the generation that works, and starts the next one on the memory it left.
  private mutating func killInWork() throws(DemoFailure) {
    var random = SplitMix(seed: seed)
    usleep(UInt32(random.next() % 20_000))
    current.kill()
    guard current.wait() == .killed(signal: SIGKILL) else {
      throw DemoFailure("generation \(killed) came to an end by itself")
    }
    var program = program
    program.pass(file, named: PreservedMemory.memoryName)
    ledger[killed + 1, .start] = SystemCalls.monotonicNanoseconds
    do throws(SuccessorError) { current = ChildProcess(try program.spawn()) } catch {
      throw DemoFailure(error.sentence)
    }
  }
}
