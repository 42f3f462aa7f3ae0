import HandoverDemo
import KHOCommands
import KexecHandover
import SystemPackage

/// The files of a torture: the memory, and the journal beside it.
struct TortureFiles {
  let memory: FilePath
  let journal: FilePath

  init(_ memory: FilePath, _ journal: FilePath) {
    self.memory = memory
    self.journal = journal
  }

  /// Removes what an earlier run left, and nothing else.
  ///
  /// - Throws: where there is something else.
  func removeThoseOfEarlierRun() throws(CommandFailure) {
    guard fileExists(memory) || fileExists(journal) else { return }
    guard isJournal else {
      let stranger = fileExists(memory) ? memory : journal
      throw .badInput(
        "\(stranger): the file exists, and no earlier run left it; name one that does not "
          + "exist")
    }
    if fileExists(memory), !isMemoryFile {
      throw .badInput(
        "\(memory): the file exists, and is not a memory file; name one that does not exist"
      )
    }
    for path in [memory, journal] {
      if let error = tortureUnlink(path) {
        throw .badInput("\(path): the file of an earlier run cannot be removed (\(error))")
      }
    }
  }

  private var isJournal: Bool {
    guard let file = try? MemoryImage.open(journal, base: .zero) else { return false }
    let first = PhysicalRange(start: .zero, byteCount: 8)
    return file.withBytes(in: first) { $0.word(atByte: 0) } == TortureJournal.magic
  }

  private var isMemoryFile: Bool {
    guard let file = try? MemoryImage.open(memory, base: .zero) else { return false }
    return SuperblockContents.isMemoryFile(file)
  }
}

/// Reports to the user how many were killed so far.
struct TortureProgress {
  let wantedCount: UInt64
  private let clock = ContinuousClock()
  private var next: ContinuousClock.Instant
  private var hasReported = false

  init(wantedCount: UInt64) {
    self.wantedCount = wantedCount
    next = clock.now + .milliseconds(300)
  }

  mutating func report(_ killCount: UInt64, _ operationCount: UInt64) {
    guard Console.current.showsProgress, clock.now >= next else { return }
    next = clock.now + .milliseconds(200)
    hasReported = true
    Console.current.showProgress(
      "killed \(killCount) of \(wantedCount), \(operationCount) operations")
  }

  func end() {
    if hasReported { Console.current.showProgress("") }
  }
}
