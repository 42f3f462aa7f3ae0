internal import HandoverDemo
internal import KexecHandover

/// Prints what the generations do, and the result.
struct DemoPrinter {
  private let ledger: DemoLedger
  private let killed: UInt64
  private let isQuiet: Bool
  private let clock = ContinuousClock()
  private var nextProgress: ContinuousClock.Instant
  private var hasProgress = false

  init(_ ledger: DemoLedger, killed: UInt64, isQuiet: Bool) {
    self.ledger = ledger
    self.killed = killed
    self.isQuiet = isQuiet
    nextProgress = clock.now
  }

  private func say(_ line: String) {
    guard !isQuiet else { return }
    Console.current.print(line)
    Console.current.flush()
  }

  func begin(_ place: MemoryFilePlace, _ byteCount: UInt64) {
    switch place {
    case .memfd:
      say("memory without a name (memfd), which may grow to \(byteText(byteCount))")
    case .path(let path):
      say("memory file \(path), which may grow to \(byteText(byteCount))")
    }
  }

  /// Says what a generation has done, once, and now and then how far it has come.
  mutating func show(_ generation: UInt64, _ phase: DemoLedger.Phase, isNew: Bool) {
    if isNew {
      end()
      switch phase {
      case .verified: say(verifiedLine(generation))
      case .done where generation == 1: say(filledLine)
      case .done where generation > killed: say(lastLine(generation))
      default: break
      }
    }
    guard Console.current.showsProgress, !isQuiet, clock.now >= nextProgress else { return }
    nextProgress = clock.now + .milliseconds(100)
    let checked = ledger[generation, .checkedBytes]
    let doing =
      generation == 1
      ? "fills the memory" : phase == .begun ? "has checked \(byteText(checked))" : "works"
    Console.current.showProgress("generation \(generation) \(doing)")
    hasProgress = true
  }

  mutating func end() {
    if hasProgress { Console.current.showProgress("") }
    hasProgress = false
  }

  private var filledLine: String {
    "generation 1, process \(ledger[1, .process]), has filled \(byteText(ledger[1, .preservedBytes])) in "
      + "\(countText(ledger[1, .entries], "block")), each with a checksum"
  }

  private func verifiedLine(_ generation: UInt64) -> String {
    let came =
      generation > killed
      ? "adopts what is left" : "comes by exec"
    let checked =
      "\(ledger[generation, .checksums]) checksums hold, \(byteText(ledger[generation, .checkedBytes]))"
    let fate = generation == killed ? "; works on, and is killed with SIGKILL" : ""
    return
      "generation \(generation), process \(ledger[generation, .process]), \(came): \(checked)\(fate)"
  }

  private func lastLine(_ generation: UInt64) -> String {
    let count = ledger[generation, .freedBlocks]
    return
      "generation \(generation) has freed \(countText(count, "block")) that the killed one had not recorded"
  }
}

extension DemoPrinter {
  /// The table, the picture, and what was shown.
  func print(_ report: DemoReport, _ file: MemoryFile) {
    say("")
    for line in report.table.lines(indent: "  ") { say(line) }
    say(
      "  FIRST BYTE, ALL BYTES: from the instant before exec until the first checksum held, and all"
    )
    printPicture(of: file)
    guard report.isIntact, let last = report.generations.last else { return }
    let checksumCount = report.generations.reduce(0) { $0 + $1.checksumCount }
    say("")
    say(
      "the memory went through \(countText(report.killedGeneration - 1, "exec")) and a kill -9, and "
        + "nothing of it was copied: \(byteText(last.preservedByteCount ?? 0)) in "
        + "\(countText(last.entryCount ?? 0, "block")) at the end; all \(checksumCount) checksums held"
    )
  }

  private func printPicture(of file: MemoryFile) {
    try? file.noticeGrowth()
    guard let contents = try? MemoryContents(reading: file),
      let picture = MemoryPicture(contents, in: file)
    else { return }
    say("")
    say(
      "  memory, \(byteText(picture.stretchByteCount)) a character: the order of what is preserved, "
        + "# nodes of the tree, S superblock, · free")
    for line in picture.lines { say("  " + line) }
  }
}

extension DemoReport {
  fileprivate var table: TextTable {
    var table = TextTable([.right, .right, .left, .right, .right, .right, .right, .right, .right])
    table.add([
      "GENERATION", "PROCESS", "HOW", "BLOCKS", "PRESERVED", "METADATA", "CHECKSUMS", "FIRST BYTE",
      "ALL BYTES",
    ])
    for row in generations {
      table.add([
        "\(row.generation)", "\(row.process)",
        row.generation == killedGeneration ? "\(row.how), killed" : row.how,
        row.entryCount.map(String.init) ?? "·", row.preservedByteCount.map(byteText) ?? "·",
        row.metadataByteCount.map(byteText) ?? "·",
        row.checksumCount == 0 ? "·" : "\(row.checksumCount)",
        row.nanosecondsToFirstByte.map(timeText) ?? "·",
        row.nanosecondsToAll.map(timeText) ?? "·",
      ])
    }
    return table
  }
}

/// A time for people: `850 µs`, `12.3 ms`.
private func timeText(_ nanoseconds: UInt64) -> String {
  if nanoseconds < 1_000_000 { return "\(nanoseconds / 1000) µs" }
  return "\(nanoseconds / 1_000_000).\(nanoseconds / 100_000 % 10) ms"
}
