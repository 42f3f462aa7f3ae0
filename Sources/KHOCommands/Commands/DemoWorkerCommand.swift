internal import ArgumentParser
internal import HandoverDemo
internal import KexecHandover
internal import Platform

/// `kho demo-worker`: one generation.
struct DemoWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-worker", abstract: "One generation of `kho demo`.", shouldDisplay: false)

  @Option(help: "The generation that is killed.")
  var killed: UInt64

  @Option(help: "What the memory may grow to, in bytes.")
  var capacity: UInt64

  @Option(help: "Where random numbers come from.")
  var seed: UInt64

  /// What `arguments` say, as a command line.
  static func arguments(killed: UInt64, capacity: UInt64, seed: UInt64) -> [String] {
    ["demo-worker", "--killed", "\(killed)", "--capacity", "\(capacity)", "--seed", "\(seed)"]
  }

  func run() throws {
    do throws(DemoFailure) {
      var memory = try inheritedMemory()
      var worker = try DemoWorker(memory, seed: seed, capacity: capacity)
      try worker.run(&memory, killed: killed)
      // The last generation has no successor.
      if memory.generation < killed { try handOn(memory, worker.ledger) }
    } catch {
      throw CommandFailure.badInput(error.sentence)
    }
  }

  private func inheritedMemory() throws(DemoFailure) -> PreservedMemory {
    var descriptors = try inheritedDescriptors()
    let capacity = capacity
    let memory = try DemoFailure.unless("the memory cannot be taken over") {
      () throws(PreservedMemoryError) in
      try PreservedMemory.inherited(&descriptors, growableTo: capacity)
    }
    guard let memory else { throw DemoFailure("no memory was handed over") }
    return memory
  }

  private func inheritedDescriptors() throws(DemoFailure) -> ReceivedDescriptors {
    do throws(SuccessorError) {
      if let descriptors = try Successor.inherited() { return descriptors }
    } catch {
      throw DemoFailure(error.sentence)
    }
    throw DemoFailure("`kho demo` starts this command")
  }

  /// Becomes the next generation.
  private func handOn(
    _ memory: borrowing PreservedMemory, _ ledger: DemoLedger
  ) throws(DemoFailure) {
    let program = ChildProcess.program(
      Self.arguments(killed: killed, capacity: capacity, seed: seed))
    ledger[memory.generation + 1, .start] = SystemCalls.monotonicNanoseconds
    do throws(SuccessorError) { try memory.exec(program) } catch {
      throw DemoFailure(error.sentence)
    }
  }
}
