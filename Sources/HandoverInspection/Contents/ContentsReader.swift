import Handover
import MemoryAccess
import PreservedPages

/// Gathers what a reader of the records comes upon, and checks what they refer to on the way.
struct ContentsBuilder<Memory: PhysicalMemory>: RecordVisitor {
  private let geometry: PageGeometry
  private let options: HandoverContents.Options
  private var checker: RecordChecker<Memory>
  private var lookup: PreservedPagesLookup<Memory>
  private(set) var contents = HandoverContents()

  /// How many more records may be kept.
  private var room: Int

  // What is being read, from the outside inwards; it is put into its place when the reader leaves it.
  private var subtree: SubtreeContents?
  private var area: AreaContents?
  private var khoTest: KHOTestContents?
  private var liveUpdate: LiveUpdateContents?
  private var session: SessionContents?
  private var file: FileContents?
  private var memfd: MemfdContents?

  init(_ memory: Memory, _ pages: PreservedPagesSurvey, _ options: HandoverContents.Options) {
    geometry = pages.geometry
    self.options = options
    room = options.recordLimit
    checker = RecordChecker(memory, pages)
    checker.readsFolios = options.readsFolios
    lookup = PreservedPagesLookup(pages, in: memory)
  }

  mutating func enter(_ subtree: HandoverSurvey.Subtree) -> Bool {
    self.subtree = SubtreeContents(subtree: subtree)
    return true
  }

  mutating func leave(_ subtree: HandoverSurvey.Subtree) {
    guard var contents = self.subtree else { return }
    self.subtree = nil
    contents.head = head(of: subtree)
    self.contents.subtrees.append(contents)
    self.contents.findings = checker.findings
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
    case .khoTest(let record): khoTest = KHOTestContents(record)
    case .khoTestFolio(let folio): if makeRoom() { khoTest?.folios.append(folio) }
    case .area(let area): self.area = AreaContents(area)
    case .ledger(let ledger): subtree?.record = .ledger(ledger)
    case .collection(let collection): subtree?.record = .collection(collection)
    case .liveUpdate(let record): liveUpdate = LiveUpdateContents(record)
    case .sharedData(let data): if makeRoom() { liveUpdate?.sharedData.append(data) }
    case .session(let session):
      if isWanted(session), makeRoom() { self.session = SessionContents(session) }
    case .file(let file):
      if session == nil {
        if options.keptFile == nil { contents.omittedRecordCount &+= 1 }
      } else if isWanted(file), makeRoom() {
        self.file = FileContents(file)
      }
    case .memfd(let record): if file != nil { memfd = MemfdContents(record) }
    case .memfdFolio(let folio): count(folio)
    }
    return true
  }

  /// Puts what was read into the record around it.
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
      if let session { liveUpdate?.sessions.append(session) }
      session = nil
    case .file:
      if let file { session?.files.append(file) }
      file = nil
    case .memfd:
      file?.memfd = memfd
      memfd = nil
    case .memblock, .kexecMetadata, .khoTestFolio, .sharedData, .memfdFolio, .ledger, .collection:
      break
    }
  }

  private func isWanted(_ session: LiveUpdateSession) -> Bool {
    guard case .file(let name, _) = options.keptFile else { return true }
    return session.name == name
  }

  private func isWanted(_ file: LiveUpdateFile) -> Bool {
    guard case .file(_, let token) = options.keptFile else { return true }
    return file.token == token
  }

  /// Whether one more record may be kept; counts it otherwise.
  private mutating func makeRoom() -> Bool {
    guard room > 0 else {
      contents.omittedRecordCount &+= 1
      return false
    }
    room &-= 1
    return true
  }

  private mutating func count(_ folio: MemfdFolio) {
    guard memfd != nil else { return }
    // The compiler takes reading it below for an access to `memfd`.
    let geometry = geometry
    let entry = folio.isHole ? nil : lookup.block(holding: folio.address)
    let order = entry?.address == folio.address ? entry?.order : nil
    memfd?.count(folio, order, geometry)
    guard options.keepsPageMaps, !folio.isHole else { return }
    let run = MemfdRun(
      pageIndex: folio.pageIndex, address: folio.address, order: order, folioCount: 1,
      isDirty: folio.isDirty, isUpToDate: folio.isUpToDate)
    if memfd?.extendRuns(with: run, geometry) == true { return }
    if makeRoom() { memfd?.runs.append(run) }
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
    return checker.visit(reference)
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
