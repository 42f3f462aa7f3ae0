import HandoverDemo
import KHOCommands
import KexecHandover
import PersistentCollections
import Platform
import SystemPackage

/// Kills processes that change a store, and compares what each leaves with a model.
struct StoreRun {
  let path: FilePath
  let journalPath: FilePath
  let journal: StoreJournal
  let collectionCounts: [Int]
  let wantedKillCount: UInt64
  var random: SplitMix
  private var model = StoreModel(collectionCount: 0)
  private(set) var tally = StoreTally()
  /// The number of the next operation.
  private var number: UInt64 = 0

  init(
    _ path: FilePath, _ journal: StoreJournal, at journalPath: FilePath, collectionCounts: [Int],
    killCount: UInt64, seed: UInt64
  ) {
    self.path = path
    self.journalPath = journalPath
    self.journal = journal
    self.collectionCounts = collectionCounts
    wantedKillCount = killCount
    random = SplitMix(seed: seed)
  }

  mutating func run(_ progress: (StoreTally) -> Void) throws(TortureFailure) {
    startOver()
    while tally.killCount < wantedKillCount {
      if random.isOne(in: 100) {
        if let error = tortureUnlink(path) {
          throw TortureFailure("\(path) cannot be removed (\(error))")
        }
        startOver()
      }
      try killOnce()
      progress(tally)
    }
  }

  /// Says what the next memory file will be like.
  private mutating func startOver() {
    let count = collectionCounts[Int(tally.fileCount % UInt64(collectionCounts.count))]
    model = StoreModel(collectionCount: count)
    number = 0
    journal[.seed] = random.next()
    journal[.collectionCount] = UInt64(count)
    journal[.pageShift] = [12, 12, 14, 16][Int(random.next() % 4)]
    journal[.capacity] = 1 << 28
    journal[.openingTime] = 2_000_000
    tally.fileCount += 1
  }

  private mutating func killOnce() throws(TortureFailure) {
    journal[.firstNumber] = number
    journal[.begun] = number
    journal[.ended] = number
    journal[.lastNumber] = number + 400
    let isOpening = random.isOne(in: 6)
    try startAndKill(isOpening: isOpening)
    let (begun, ended) = (journal[.begun], journal[.ended])
    guard (ended...ended &+ 1).contains(begun), ended >= number else {
      throw TortureFailure("the journal is damaged")
    }
    for done in number..<ended {
      model.apply(operation(done))
      tally.operationCount += 1
    }
    number = ended
    // Processes that only take over, and are killed in that.
    while random.isOne(in: 3), tally.killCount + 1 < wantedKillCount {
      journal[.firstNumber] = begun
      journal[.lastNumber] = begun
      try startAndKill(isOpening: true)
    }
    let inFlight = begun > ended ? operation(ended) : nil
    let isAfter = try look(inFlight)
    if let inFlight {
      if isAfter { model.apply(inFlight) }
      number = begun
    }
  }

  private func operation(_ number: UInt64) -> StoreOperation {
    StoreOperation(number, seed: journal[.seed], collectionCount: model.contents.count)
  }

  private mutating func startAndKill(isOpening: Bool) throws(TortureFailure) {
    journal[.isOpen] = 0
    journal[.orderSeed] = random.next()
    journal[.killsOpening] = isOpening ? 1 : 0
    journal[.killNumber] = number + random.next() % 120
    let longest =
      isOpening ? journal[.openingTime] + 200_000 : random.isOne(in: 4) ? 2_000_000 : 60_000
    journal[.lifetime] = random.next() % longest
    let end: ChildProcess.End
    do throws(SuccessorError) {
      end = try ChildProcess(["store-worker", journalPath.string, path.string]).wait()
    } catch {
      throw TortureFailure(error.sentence)
    }
    switch end {
    case .killed(signal: SIGKILL):
      if journal[.isOpen] == 0 || journal[.firstNumber] == journal[.lastNumber] {
        tally.openingCount += 1
      } else if journal[.begun] == journal[.ended] {
        tally.betweenCount += 1
      } else {
        tally.pending = operation(journal[.ended]).title
      }
    case .exited(0): break
    case .exited(let status):
      throw TortureFailure("the process ended by itself with status \(status)")
    case .killed(let signal):
      throw TortureFailure("the process was ended by signal \(signal)")
    }
  }

  // MARK: Looking

  /// Takes the store over, opens the collections in some order, and compares each with the model before
  /// and after the operation in which the process was killed.
  ///
  /// - Returns: whether the operation has happened.
  private mutating func look(_ inFlight: StoreOperation?) throws(TortureFailure) -> Bool {
    var after = model
    if let inFlight { after.apply(inFlight) }
    var isBefore = true
    var isAfter = true
    do {
      let memory = try journal.openMemory(at: path)
      let count = model.contents.count
      let found = try memory.names().filter { $0.hasPrefix("region-") }
      var store = try TorturedStore(memory, collectionCount: count)
      let regions = Set(found.compactMap { UInt64($0.dropFirst(7)) })
      isBefore = isBefore && regions == model.regions
      isAfter = isAfter && regions == after.regions
      for index in TorturedStore.order(count, seed: random.next()) {
        try store.open(index)
        let (content, findings) = try store.content(index)
        guard findings.isEmpty else {
          throw TortureFailure("collection \(index): \(findings.prefix(3))")
        }
        isBefore = isBefore && content == model.contents[index]
        isAfter = isAfter && content == after.contents[index]
        guard isBefore || isAfter else {
          throw TortureFailure(
            "collection \(index) is neither as before \(inFlight?.title ?? "nothing") nor as after it"
          )
        }
        tally.comparedByteCount += UInt64(content.entries.values.reduce(0) { $0 + $1.count })
        try store.use(index)
      }
      try checkMemory(store, regions)
    } catch let failure as TortureFailure {
      throw failure
    } catch {
      throw TortureFailure("the store cannot be taken over: \(error)")
    }
    // What changes nothing is both.
    let hasHappened = isAfter && !isBefore
    if let inFlight { tally.land(inFlight.title, isAfter: hasHappened) }
    return isAfter
  }

  /// Every preserved byte belongs to one owner, and the regions are as they were filled.
  private func checkMemory(_ store: TorturedStore, _ regions: Set<UInt64>) throws {
    let file = store.store.withMemory { $0.file }
    let contents = try MemoryContents(reading: file)
    guard let survey = contents.survey, let pages = survey.pages,
      let inspection = try StoreInspection(contents, in: file)
    else { throw TortureFailure("the store has no ledger") }
    let mask = UInt64(survey.geometry.pageByteCount) - 1
    var owned = [inspection.ledgerRegion] + inspection.ledgerPieces
    for collection in inspection.collections { owned += [collection.root] + collection.pieces }
    for subtree in survey.subtrees.map(\.subtree) where subtree.name.hasPrefix("region-") {
      let range = PhysicalRange(start: subtree.address, byteCount: subtree.byteCount ?? 0)
      owned.append(range)
      let number = UInt64(subtree.name.dropFirst(7)) ?? 0
      let isSound = file.withBytes(in: range) { bytes in
        stride(from: 0, to: bytes.byteCount - 7, by: 8).allSatisfy {
          bytes.word(atByte: $0) == SplitMix.mixed(number ^ UInt64($0))
        }
      }
      guard isSound == true else { throw TortureFailure("\(subtree.name) was overwritten") }
    }
    pages.forEachBlock(in: file) { block in
      let range = block.range(in: survey.geometry)
      if range.contains(contents.superblock.state.deviceTree) { owned.append(range) }
    }
    owned.sort { $0.start < $1.start }
    for (one, other) in zip(owned, owned.dropFirst()) where one.overlaps(other) {
      throw TortureFailure("the memory \(one) and \(other) was given twice")
    }
    let byteCount = owned.reduce(0 as UInt64) { $0 + ($1.byteCount + mask) & ~mask }
    guard byteCount == pages.preservedByteCount else {
      throw TortureFailure(
        "\(pages.preservedByteCount) bytes are preserved, and \(byteCount) have an owner")
    }
  }
}

/// What torture of stores counts.
struct StoreTally {
  private(set) var landings: [(title: String, before: UInt64, after: UInt64)] =
    StoreOperation.titles.map { ($0, 0, 0) }
  var openingCount: UInt64 = 0
  var betweenCount: UInt64 = 0
  var fileCount: UInt64 = 0
  var operationCount: UInt64 = 0
  var comparedByteCount: UInt64 = 0
  /// The operation in which the process was killed, and of which it is not known yet whether it happened.
  var pending: String?

  /// How many processes were killed.
  var killCount: UInt64 {
    openingCount + betweenCount + (pending == nil ? 0 : 1)
      + landings.reduce(0) { $0 + $1.before + $1.after }
  }

  mutating func land(_ title: String, isAfter: Bool) {
    guard pending != nil, let row = landings.firstIndex(where: { $0.title == title }) else {
      return
    }
    pending = nil
    if isAfter { landings[row].after += 1 } else { landings[row].before += 1 }
  }
}
