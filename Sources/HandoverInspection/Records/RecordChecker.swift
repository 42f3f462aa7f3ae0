import Handover
import MemoryAccess
import PreservedPages

/// Checks that what records refer to is preserved.
struct RecordChecker<Memory: PhysicalMemory>: RecordVisitor {
  private let memory: Memory
  private let geometry: PageGeometry
  private var lookup: PreservedPagesLookup<Memory>
  /// How many stretches of entries may still be looked at for ranges. What records refer to does
  /// not overlap, so each range costs one and those that follow in it, of which there are at most as
  /// many as entries.
  private var remainingStepCount: UInt64
  var findings = RecordFindingList()

  init(_ memory: Memory, _ pages: PreservedPagesSurvey) {
    self.memory = memory
    geometry = pages.geometry
    lookup = PreservedPagesLookup(pages, in: memory)
    let slack: UInt64 = 1 << 16
    let (sum, overflow) = pages.entryCount.addingReportingOverflow(slack)
    remainingStepCount = overflow ? .max : sum
  }

  mutating func report(_ finding: RecordFinding) { findings.append(finding) }

  mutating func visit(_ reference: RecordReference) -> Bool {
    guard memory.contains(reference.range) else {
      findings.append(.outsideMemory(reference))
      return true
    }
    switch reference.role {
    case .folio: checkFolio(reference)
    case .region, .chunk, .area, .records:
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
