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

  @Argument(help: "The memory file to make, best on a tmpfs such as /dev/shm.", completion: .file())
  var file: String

  @Option(help: ArgumentHelp("How many processes to kill.", valueName: "n"))
  var kills: UInt64 = 1000

  @Option(help: ArgumentHelp("Where random numbers come from.", valueName: "s"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "How many collections a file has; can be given several times, for one file after the other.",
      valueName: "n"))
  var collections: [Int] = []

  func validate() throws {
    guard collections.allSatisfy({ (1...64).contains($0) }) else {
      throw ValidationError("--collections is from 1 to 64.")
    }
    guard kills > 0 else { throw ValidationError("--kills is at least 1.") }
  }

  func run() throws {
    let path = FilePath(file)
    let journalPath = FilePath(file + ".journal")
    for path in [path, journalPath] where fileExists(path) {
      throw CommandFailure.badInput(
        "\(path): there is a file already; name one that does not exist")
    }
    let journal: StoreJournal
    do throws(MemoryFileError) { journal = try StoreJournal(creating: journalPath) } catch {
      throw CommandFailure.badInput("\(journalPath): \(error.sentence)")
    }
    let counts = collections.isEmpty ? [2, 3, 10] : collections
    var run = StoreRun(
      path, journal, at: journalPath, collectionCounts: counts, killCount: kills, seed: seed)
    let clock = ContinuousClock()
    let start = clock.now
    var next = start + .milliseconds(300)
    var hasReported = false
    var failure: TortureFailure?
    do throws(TortureFailure) {
      try run.run { count in
        guard Console.current.showsProgress, clock.now >= next else { return }
        next = clock.now + .milliseconds(300)
        hasReported = true
        Console.current.showProgress("killed \(count) of \(kills)")
      }
    } catch {
      failure = error
    }
    if hasReported { Console.current.showProgress("") }
    print(run.tally, milliseconds: (clock.now - start).milliseconds, counts)
    if let failure {
      throw CommandFailure.findings(
        "\(file): seed \(seed), kill \(run.tally.killCount): \(failure.sentence); \(file) and "
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
        + "\(seed), stores of \(countsText) collections")
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
