import Handover
import MemoryAccess
import PreservedPages

/// Checks that what records refer to is preserved.
struct RecordChecker<Memory: PhysicalMemory>: RecordVisitor {
  let memory: Memory
  let geometry: PageGeometry
  var lookup: PreservedPagesLookup<Memory>
  /// How many stretches of entries may still be looked at for ranges. What records refer to does
  /// not overlap, so each range costs one and those that follow in it, of which there are at most as
  /// many as entries.
  private var remainingStepCount: UInt64
  var findings = RecordFindingList()
  /// Whether the folios of the self-test are read, to compare their checksum.
  var readsFolios = true
  /// Whether all entries of collections are checked.
  var checksCollections = false

  /// Pages that records refer to: each is restored once.
  private var restored = PageSet()
  private var sessionNames: Set<String> = []
  /// The session and file that are read, and the tokens of the session so far.
  private var session = ""
  private var tokens: Set<UInt64> = []
  private(set) var file = RecordOwner.session("")
  /// The memfd whose folios are being read.
  var memfd: CheckedMemfd?
  /// The format of the record that lists the sessions.
  private var format: LiveUpdateRecord.Format?
  /// A folio of it that is referred to next.
  private var folio: MemfdFolio?

  init(_ memory: Memory, _ pages: PreservedPagesSurvey) {
    self.memory = memory
    geometry = pages.geometry
    lookup = PreservedPagesLookup(pages, in: memory)
    let slack: UInt64 = 1 << 16
    let (sum, overflow) = pages.entryCount.addingReportingOverflow(slack)
    remainingStepCount = overflow ? .max : sum
  }

  mutating func report(_ finding: RecordFinding) { findings.append(finding) }

  mutating func enter(_ record: KnownRecord) -> Bool {
    switch record {
    case .session(let session):
      self.session = session.name
      tokens = []
      if !sessionNames.insert(session.name).inserted {
        findings.append(.nameRepeated(.session(session.name)))
      }
    case .file(let file):
      self.file = .file(session: session, token: file.token)
      memfd = nil
      if !tokens.insert(file.token).inserted { findings.append(.nameRepeated(self.file)) }
    case .liveUpdate(let record):
      format = record.format
    case .memfd(let record):
      memfd = CheckedMemfd(record, in: geometry)
      check(record)
      checkCoverage()
    case .memfdFolio(let folio):
      self.folio = folio.isHole ? nil : folio
      memfd?.folioCount &+= 1
      if folio.isHole { checkCoverage() }
      // Up to 7.1 a folio that was allocated and not used yet was passed on as such.
      if format == .structure, !folio.isHole, !folio.isDirty || !folio.isUpToDate {
        findings.append(
          .memfd(file, .contentUndefined(folio.address, pageIndex: folio.pageIndex)))
      }
    case .khoTest(let record):
      if readsFolios { checkChecksum(of: record) }
    case .memblock(let record):
      var names: Set<String> = []
      for region in record.regions where !names.insert(region.name).inserted {
        findings.append(.nameRepeated(.region(region.name)))
      }
    default: break
    }
    return true
  }

  mutating func visit(_ reference: RecordReference) -> Bool {
    if reference.role != .region {
      let page = reference.range.start.rawValue >> UInt64(geometry.shift)
      if !restored.insert(page) { findings.append(.referredTwice(reference)) }
    }
    guard memory.contains(reference.range) else {
      findings.append(.outsideMemory(reference))
      return true
    }
    switch reference.role {
    case .folio: checkFolio(reference)
    case .region, .chunk, .area, .records, .piece:
      let stepCount = lookup.stepCount
      if let page = lookup.firstGap(in: reference.range) {
        findings.append(.notPreserved(reference, page: page))
      }
      let extra = lookup.stepCount &- stepCount &- 1
      guard extra <= remainingStepCount else {
        findings.append(.moreRecordsThanMemory)
        return false
      }
      remainingStepCount &-= extra
    }
    return true
  }

  private mutating func checkFolio(_ reference: RecordReference) {
    let start = reference.range.start
    if let folio, folio.address == start {
      let entry = lookup.block(holding: start)
      checkPlace(of: folio, order: entry?.address == start ? entry?.order ?? .zero : .zero)
      checkCoverage()
      self.folio = nil
    }
    if let order = reference.order,
      lookup.contains(PhysicalBlock(address: start, order: order))
    {
      return
    }
    guard let entry = lookup.block(holding: start) else {
      findings.append(.notPreserved(reference, page: start))
      return
    }
    if entry.address != start || reference.order != nil {
      findings.append(.entryDiffers(reference, entry: entry))
    }
  }
}
