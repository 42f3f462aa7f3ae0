import ArgumentParser
import HandoverDemo
import KHOCommands
import KexecHandover
import SystemPackage

/// `kho-torture`: kills processes, and looks at what they leave.
struct Torture: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Kills processes that change a memory file, and checks what each leaves.",
    discussion: """
      A process changes FILE as fast as it can and is killed with SIGKILL at a random instant; the \
      next one takes over. After each kill everything in FILE is compared with a journal, \
      FILE.journal, that says what the process was doing: names, preserved blocks, every byte, and \
      every frame, which is in use or free. Each operation must be seen completely or not at all.

      FILE must not exist, or be left by an earlier run, whose place it takes. Both files are removed \
      at the end, unless something was wrong. What a process does depends on the seed and on what \
      the one before it left, so a run never repeats another exactly.

      Exit status: 0 nothing was wrong, 1 something was, 2 the command line is wrong.
      """)

  @OptionGroup var options: TortureOptions

  @Option(help: ArgumentHelp("What the memory may grow to.", valueName: "size"))
  var memory = SizeArgument(64 << 20)

  @Flag(help: "Keep the files.")
  var keep = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (1 << 20...1 << 40).contains(memory.byteCount) else {
      throw ValidationError("--memory is a size from 1M to 1T.")
    }
  }

  func run() throws {
    let (path, journalPath, seed) = (options.path, options.journalPath, options.seed)
    try TortureFiles(path, journalPath).removeThoseOfEarlierRun()
    let journal = try TortureJournal(creating: journalPath)
    var run = TortureRun(
      path, journal: journal, at: journalPath, memoryByteCount: memory.byteCount,
      killCount: options.kills, seed: seed)
    let clock = ContinuousClock()
    let start = clock.now
    var progress = TortureProgress(wantedCount: options.kills)
    var failure: TortureFailure?
    do throws(TortureFailure) {
      try run.run { progress.report($0.killCount, $0.operationCount) }
    } catch { failure = error }
    progress.end()
    let report = TortureReport(
      tally: run.tally, seed: seed, memoryByteCount: memory.byteCount,
      milliseconds: (clock.now - start).milliseconds,
      comparedByteCount: run.examiner.comparedByteCount, failure: failure?.sentence)
    print(report)
    if let failure {
      throw CommandFailure.findings(
        "\(path): seed \(seed), kill \(run.tally.killCount + 1), \(run.lastOperation): "
          + "\(failure.sentence); \(path) and \(journalPath) are kept")
    }
    if !keep { for path in [path, journalPath] { _ = tortureUnlink(path) } }
  }

  private func print(_ report: TortureReport) {
    if json {
      Console.current.printJSON(report.json)
    } else {
      for line in report.lines { Console.current.print(line) }
    }
  }
}

extension Duration {
  /// Whole nanoseconds.
  var nanoseconds: UInt64 {
    UInt64(clamping: components.seconds) &* 1_000_000_000
      &+ UInt64(clamping: components.attoseconds / 1_000_000_000)
  }
}
