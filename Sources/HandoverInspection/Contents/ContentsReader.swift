import Handover
import MemoryAccess
import PreservedPages

/// Hands on the content of records while it is read, and checks what they refer to on the way.
struct ContentsReader<Memory: PhysicalMemory, Receiver: ContentsReceiver>: RecordVisitor {
  private let geometry: PageGeometry
  private let findsRuns: Bool
  private var checker: RecordChecker<Memory>
  private var lookup: PreservedPagesLookup<Memory>
  private(set) var receiver: Receiver

  // What is being read, from the outside inwards.
  private var subtree: SubtreeContents?
  private var area: AreaContents?
  private var khoTest: KHOTestContents?
  private var liveUpdate: LiveUpdateContents?
  private var session: SessionContents?
  private var file: FileContents?
  private var memfd: MemfdContents?
  private var run: MemfdRun?

  /// - Parameters:
  ///   - findsRuns: whether the receiver is given the runs of memfds.
  ///   - readsFolios: whether the folios of the self-test are read, to compare their checksum.
  init(
    _ memory: Memory, _ pages: PreservedPagesSurvey, findsRuns: Bool, readsFolios: Bool,
    _ receiver: Receiver
  ) {
    geometry = pages.geometry
    self.findsRuns = findsRuns
    self.receiver = receiver
    checker = RecordChecker(memory, pages)
    checker.readsFolios = readsFolios
    lookup = PreservedPagesLookup(pages, in: memory)
  }

  /// What is wrong with the records that were read.
  var findings: RecordFindingList { checker.findings }

  mutating func enter(_ subtree: HandoverSurvey.Subtree) -> Bool {
    self.subtree = SubtreeContents(subtree: subtree)
    return true
  }

  mutating func leave(_ subtree: HandoverSurvey.Subtree) {
    guard var contents = self.subtree else { return }
    self.subtree = nil
    contents.head = head(of: subtree)
    receiver.end(contents)
  }

  /// The first bytes of a blob; of one of unknown size, as many as its page has.
  private func head(of subtree: HandoverSurvey.Subtree) -> [UInt8] {
    let address = subtree.subtree.address
    let mask = UInt64(geometry.pageByteCount) &- 1
    let inPage = UInt64(geometry.pageByteCount) &- address.rawValue & mask
    let limit = UInt64(SubtreeContents.largestHeadByteCount)
    let byteCount = min(limit, subtree.byteCount ?? inPage)
    guard let range = PhysicalRange(checkedStart: address, byteCount: byteCount) else { return [] }
    return checker.memory.withBytes(in: range) { $0.copiedBytes() } ?? []
  }

  // MARK: Records

  mutating func enter(_ record: KnownRecord) -> Bool {
    _ = checker.enter(record)
    switch record {
    case .memblock(let record): subtree?.record = .memblock(record.regions)
    case .kexecMetadata(let record): subtree?.record = .kexecMetadata(record)
    case .khoTest(let record): begin(KHOTestContents(record))
    case .khoTestFolio(let folio): receiver.take(folio)
    case .area(let area): self.area = AreaContents(area)
    case .ledger(let ledger): subtree?.record = .ledger(ledger)
    case .collection(let collection): subtree?.record = .collection(collection)
    case .liveUpdate(let record): begin(LiveUpdateContents(record))
    case .sharedData(let data): receiver.take(data)
    case .session(let session): begin(SessionContents(session))
    case .file(let file):
      let contents = FileContents(file)
      self.file = receiver.begin(contents) ? contents : nil
    case .memfd(let record): if file != nil { begin(MemfdContents(record)) }
    case .memfdFolio(let folio): count(folio)
    }
    return receiver.takesMore
  }

  private mutating func begin(_ test: KHOTestContents) {
    khoTest = test
    receiver.begin(test)
  }

  private mutating func begin(_ liveUpdate: LiveUpdateContents) {
    self.liveUpdate = liveUpdate
    receiver.begin(liveUpdate)
  }

  private mutating func begin(_ session: SessionContents) {
    self.session = session
    receiver.begin(session)
  }

  private mutating func begin(_ memfd: MemfdContents) {
    self.memfd = memfd
    receiver.begin(memfd)
  }

  /// Hands on what is complete, and puts the rest into the record around it.
  mutating func leave(_ record: KnownRecord) {
    switch record {
    case .khoTest:
      subtree?.record = khoTest.map { .khoTest($0) }
      khoTest = nil
    case .area:
      subtree?.record = area.map { .area($0) }
      area = nil
    case .liveUpdate:
      subtree?.record = liveUpdate.map { .liveUpdate($0) }
      liveUpdate = nil
    case .session:
      if let session { receiver.end(session) }
      session = nil
    case .file:
      if let file { receiver.end(file) }
      file = nil
    case .memfd:
      endRun()
      file?.memfd = memfd
      memfd = nil
    case .memblock, .kexecMetadata, .khoTestFolio, .sharedData, .memfdFolio, .ledger, .collection:
      break
    }
  }

  private mutating func count(_ folio: MemfdFolio) {
    guard memfd != nil else { return }
    // The compiler takes reading it below for an access to `memfd`.
    let geometry = geometry
    let entry = folio.isHole ? nil : lookup.block(holding: folio.address)
    let order = entry?.address == folio.address ? entry?.order : nil
    memfd?.count(folio, order, geometry)
    guard findsRuns, !folio.isHole else { return }
    let next = MemfdRun(
      pageIndex: folio.pageIndex, address: folio.address, order: order, folioCount: 1,
      isDirty: folio.isDirty, isUpToDate: folio.isUpToDate)
    if run?.extend(with: next, geometry) == true { return }
    endRun()
    run = next
  }

  private mutating func endRun() {
    if let run { receiver.take(run) }
    run = nil
  }

  // MARK: What the records refer to

  mutating func visit(_ reference: RecordReference) -> Bool {
    switch (reference.role, reference.owner) {
    case (.chunk, _), (.area, _):
      if memfd != nil {
        memfd?.area.count(reference.role)
      } else if khoTest != nil {
        khoTest?.area.count(reference.role)
      } else {
        area?.count(reference.role)
      }
    case (.records, .subtree): liveUpdate?.blockCount &+= 1
    case (.records, .session): session?.blockCount &+= 1
    case (.records, _), (.region, _), (.folio, _), (.piece, _): break
    }
    return checker.visit(reference) && receiver.takesMore
  }

  mutating func report(_ finding: RecordFinding) {
    checker.report(finding)
    switch finding {
    case .malformed(let owner, let error): note(error, of: owner)
    case .formatUnknown(let owner, let format): note(.formatUnknown(format), of: owner)
    case .outsideMemory, .notPreserved, .entryDiffers, .moreRecordsThanMemory, .nameRepeated,
      .referredTwice, .memfd, .checksumWrong, .recordsUncounted, .contentDamaged:
      break
    }
  }

  private mutating func note(_ error: RecordError, of owner: RecordOwner) {
    switch owner {
    case .subtree, .collection: if subtree?.error == nil { subtree?.error = error }
    case .session: if session?.error == nil { session?.error = error }
    case .file:
      // An unknown handler is reported by its name.
      if case .formatUnknown = error { return }
      if file?.error == nil { file?.error = error }
    case .region, .sharedData: break
    }
  }
}
