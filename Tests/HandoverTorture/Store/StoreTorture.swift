import ArgumentParser
import HandoverDemo
import KHOCommands
import KexecHandover
import SystemPackage

/// `kho-torture store`: kills processes that change a store, and looks at what they leave.
struct StoreTorture: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Kills processes that change a store, and checks what each leaves.",
    discussion: """
      A process opens the store in FILE and its collections in a random order, changes them alone and \
      in transactions, and is killed with SIGKILL at a random instant: in an operation, between two, \
      or while it takes over what another one left. The successor opens the collections in another \
      order, allocates memory in each before it opens the next, and compares all entries with a \
      model, and all preserved memory with what has an owner. FILE and FILE.journal must not exist, \
      and are removed at the end unless something was wrong.

      Exit status: 0 nothing was wrong, 1 something was, 2 the command line is wrong.
      """)

  @OptionGroup var options: TortureOptions

  @Option(
    help: ArgumentHelp(
      "How many collections a file has; can be given several times, for one file after the other.",
      valueName: "n"))
  var collections: [Int] = []

  func validate() throws {
    guard collections.allSatisfy({ (1...64).contains($0) }) else {
      throw ValidationError("--collections is from 1 to 64.")
    }
  }

  func run() throws {
    let (path, journalPath) = (options.path, options.journalPath)
    for path in [path, journalPath] where fileExists(path) {
      throw CommandFailure.badInput(
        "\(path): the file exists already; name one that does not")
    }
    let journal = try StoreJournal(creating: journalPath)
    let counts = collections.isEmpty ? [2, 3, 10] : collections
    var run = StoreRun(
      path, journal, at: journalPath, collectionCounts: counts, killCount: options.kills,
      seed: options.seed)
    let clock = ContinuousClock()
    let start = clock.now
    var progress = TortureProgress(wantedCount: options.kills)
    var failure: TortureFailure?
    do throws(TortureFailure) {
      try run.run { progress.report($0.killCount, $0.operationCount) }
    } catch { failure = error }
    progress.end()
    print(run.tally, milliseconds: (clock.now - start).milliseconds, counts)
    if let failure {
      throw CommandFailure.findings(
        "\(path): seed \(options.seed), kill \(run.tally.killCount): \(failure.sentence); \(path) and "
          + "\(journalPath) are kept")
    }
    for path in [path, journalPath] { _ = tortureUnlink(path) }
    Console.current.print("nothing lost, nothing torn, nothing leaked, nothing given twice")
  }

  private func print(_ tally: StoreTally, milliseconds: UInt64, _ counts: [Int]) {
    let console = Console.current
    let time = "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    let countsText = counts.map { "\($0)" }.joined(separator: ", ")
    console.print(
      "\(countText(tally.killCount, "process was", "processes were")) killed in \(time), seed "
        + "\(options.seed), stores of \(countsText) collections")
    var table = TextTable([.left, .right, .right, .right])
    table.add(["KILLED IN", "KILLS", "BEFORE", "AFTER"])
    for row in tally.landings {
      table.add([row.title, "\(row.before + row.after)", "\(row.before)", "\(row.after)"])
    }
    table.add(["opening", "\(tally.openingCount)", "", ""])
    table.add(["between operations", "\(tally.betweenCount)", "", ""])
    for line in table.lines(indent: "  ") { console.print(line) }
    console.print(
      "\(countText(tally.operationCount, "operation")) completed before the kills; "
        + "\(countText(tally.fileCount, "memory file")); \(byteText(tally.comparedByteCount)) "
        + "compared with the model")
  }
}
