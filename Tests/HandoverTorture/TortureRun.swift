import HandoverDemo
import KHOCommands
import KexecHandover
import SystemPackage

/// Kills one process after the other, and looks at what each left.
struct TortureRun {
  let path: FilePath
  let journalPath: FilePath
  /// The most that a memory file grows to, in bytes.
  let memoryByteCount: UInt64
  let wantedKillCount: UInt64

  let journal: TortureJournal
  var random: SplitMix
  var tally = TortureTally()
  var examiner = TortureExaminer(.pages4KiB)
  /// What is preserved, as far as is known.
  var model = TortureModel()
  /// Of the memory when it was let go of; nil before the file exists.
  var generation: UInt64?
  /// What was being done at the last kill, for the sentence about a failure.
  private(set) var lastOperation = "nothing"

  init(
    _ path: FilePath, journal: TortureJournal, at journalPath: FilePath, memoryByteCount: UInt64,
    killCount: UInt64, seed: UInt64
  ) {
    self.path = path
    self.journal = journal
    self.journalPath = journalPath
    self.memoryByteCount = memoryByteCount
    wantedKillCount = killCount
    random = SplitMix(seed: seed)
    startOver()
  }

  /// Kills until it is enough.
  mutating func run(_ progress: (TortureTally) -> Void) throws(TortureFailure) {
    while tally.killCount < wantedKillCount {
      if generation != nil, random.isOne(in: 64) {
        try removeFile(path)
        startOver()
      }
      try killOnce()
      progress(tally)
    }
  }

  /// Says what the next memory file will be like.
  private mutating func startOver() {
    model = TortureModel()
    generation = nil
    let shift = [12, 12, 14, 16][Int(random.next() % 4)]
    let smallest = (32 as UInt64) << UInt64(shift)
    let mask = (1 as UInt64) << UInt64(shift) - 1
    let wanted = memoryByteCount >> (random.next() % 7)
    let capacity = max(smallest, wanted - random.next() % max(1, wanted / 16)) & ~mask
    journal[.pageShift] = UInt64(shift)
    journal[.capacity] = capacity
    journal[.byteCount] = max(smallest / 2, capacity >> (random.next() % 6)) & ~mask
    examiner = examiner.looking(at: journal.geometry)
    tally.fileCount += 1
  }

  /// Lets one process work, kills it, and looks.
  private mutating func killOnce() throws(TortureFailure) {
    journal.restart(with: model.objects)
    journal[.seed] = random.next()
    journal[.onlyTakesOver] = 0
    let target = journal[.existingCount] + 1 + random.next() % 60
    let isKilled = try killWorker(at: .begunCount, target)
    guard let (finished, inFlight) = journal.read() else {
      throw TortureFailure("the journal is damaged")
    }
    let done = finished.dropFirst(Int(journal[.existingCount]))
    for record in done where record.outcome == .done { model.apply(record) }
    tally.operationCount += UInt64(done.count)
    tally.refusedCount += UInt64(done.count { $0.outcome == .refused })
    noteOperation(inFlight)

    let openedCount = UInt64(done.count { $0.operation.takesOver })
    if generation == nil, openedCount == 0, !fileExists(path) {
      if isKilled { tally.count(.before, in: TortureOperation.open.title) }
      return
    }
    let state = try examiner.lookAsStranger(at: path)
    let next = (generation.map { $0 &+ 1 } ?? 0) &+ openedCount
    let isOpened = inFlight?.operation.takesOver == true && state.generation == next
    guard isOpened || state.generation &+ 1 == next else {
      throw TortureFailure("generation \(state.generation), where \(next &- 1) was expected")
    }
    guard inFlight != nil || state.change == nil else {
      throw TortureFailure("a change is recorded between two operations")
    }
    try killTakeovers(state)
    let landing = try takeOver(inFlight)
    guard isKilled else { return }
    guard let inFlight else { return tally.countBetween() }
    if state.change != nil, !state.isBuildingNext { tally.completedChangeCount += 1 }
    let hasOpened = isOpened && inFlight.operation == .open
    tally.count(
      state.landingOfChange ?? (hasOpened ? .after : landing), in: inFlight.operation.title)
  }

  /// Keeps what the process was doing, for the sentence about a failure.
  mutating func noteOperation(_ record: TortureRecord?) {
    lastOperation = record?.title ?? "between operations"
  }

  /// Kills processes that do nothing but take the memory over.
  private mutating func killTakeovers(_ first: SuperblockState) throws(TortureFailure) {
    var state = first
    while random.isOne(in: 4), tally.killCount + 1 < wantedKillCount {
      journal[.isAtWork] = 0
      journal[.onlyTakesOver] = 1
      let isKilled = try killWorker(at: .isAtWork, 1)
      let found = try examiner.lookAsStranger(at: path)
      if isKilled {
        let hasSigned = found.generation != state.generation
        let isSame = found.sequence == state.sequence
        tally.count(
          found.landingOfChange ?? (hasSigned ? .after : isSame ? .before : .inside),
          in: TortureTally.takeoverTitle)
      }
      state = found
    }
  }
}

extension SuperblockState {
  /// Where in its change the process was killed; nil where it was in none.
  fileprivate var landingOfChange: TortureLanding? {
    // What is built beside the handover that counts takes its place at one instant, and is forgotten
    // before that.
    if isBuildingNext { return .inside }
    guard let change else { return nil }
    return change.deviceTree == nil || change.deviceTree != deviceTree ? .recorded : .switched
  }
}

extension TortureRecord {
  /// What was being done, for a sentence.
  var title: String {
    object.identifier == 0
      ? operation.title : "\(operation.title) of \(object.name), \(object.title)"
  }
}
