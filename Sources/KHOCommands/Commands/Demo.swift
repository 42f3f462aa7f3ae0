internal import ArgumentParser
internal import HandoverDemo
internal import KexecHandover
internal import SystemPackage

/// `kho demo`: the whole story on real processes.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Shows memory that survives the processes that use it.",
    discussion: """
      A process fills memory with blocks of many sizes, a scattered area and blobs, each with a \
      checksum. By execve(2) it becomes the next generation, which finds everything in place, checks \
      it, adds to it, and goes on in the same way. `demo` kills the last generation with SIGKILL while it \
      works; a new process adopts what is left.

      The exit status is 1 if a checksum is wrong. \(ExitStatus.help)

      Examples:
        kho demo
        kho demo --memory 1G --generations 10
      """)

  @Option(help: ArgumentHelp("What the memory may grow to.", valueName: "size"))
  var memory = SizeArgument(256 << 20)

  @Option(help: ArgumentHelp("Generations until one is killed.", valueName: "n"))
  var generations: UInt64 = 5

  @Option(help: ArgumentHelp("Where random numbers come from.", valueName: "s"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Make a memory file at PATH, and leave it there, instead of one without a name.",
      valueName: "path"),
    completion: .file())
  var file: String?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (16 << 20...1 << 40).contains(memory.byteCount) else {
      throw ValidationError("--memory is a size from 16M to 1T.")
    }
    guard (2...30).contains(generations) else {
      throw ValidationError("--generations is a number from 2 to 30.")
    }
  }

  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let place = file.map { MemoryFilePlace.path(FilePath($0)) } ?? .memfd(name: "kho-demo")
    var run: DemoRun
    do throws(DemoFailure) {
      run = try DemoRun(
        place, capacity: memory.byteCount & ~0xffff, killed: generations, seed: seed,
        worker: DemoWorkerCommand.arguments(
          killed: generations, capacity: memory.byteCount & ~0xffff, seed: seed))
    } catch {
      throw CommandFailure.badOutput((file.map { "\(printable($0)): " } ?? "") + error.sentence)
    }
    var printer = DemoPrinter(run.ledger, killed: generations, isQuiet: json)
    printer.begin(place, memory.byteCount)
    var failure: DemoFailure?
    do throws(DemoFailure) { try run.run { printer.show($0, $1, isNew: $2) } } catch {
      failure = error
    }
    printer.end()
    let report = DemoReport(
      run, failure: failure?.sentence, milliseconds: (clock.now - start).milliseconds)
    if json { Console.current.printJSON(report.json) } else { printer.print(report, run.file) }
    if let failure { throw CommandFailure.findings(failure.sentence) }
  }
}
