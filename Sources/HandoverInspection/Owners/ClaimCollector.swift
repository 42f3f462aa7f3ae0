import Handover
import MemoryAccess
import PreservedPages

/// Turns what records refer to into claims.
struct ClaimCollector<Memory: PhysicalMemory>: RecordVisitor {
  private let memory: Memory
  private var lookup: PreservedPagesLookup<Memory>
  private let geometry: PageGeometry
  private(set) var table: OwnerTable
  var window: ClaimWindow

  init(
    _ memory: Memory, _ pages: PreservedPagesSurvey, table: OwnerTable, window: ClaimWindow
  ) {
    self.memory = memory
    lookup = PreservedPagesLookup(pages, in: memory)
    geometry = pages.geometry
    self.table = table
    self.window = window
  }

  /// Claims the root device tree and the blobs; what cannot be in memory is left out.
  mutating func claimRegistered(by survey: HandoverSurvey) {
    if let address = survey.address, let tree = survey.deviceTree {
      claim(address, UInt64(tree.byteCount), .deviceTree)
    }
    for subtree in survey.subtrees {
      // Of a blob whose size nothing shows, the first byte: the rest of its entry goes with it.
      let byteCount = max(subtree.byteCount ?? 1, 1)
      let owner = MemoryOwner(.record(.subtree(subtree.subtree.name)), .blob)
      claim(subtree.subtree.address, byteCount, owner)
    }
  }

  mutating func visit(_ reference: RecordReference) -> Bool {
    let owner = MemoryOwner(.record(reference.owner), .referred(reference.role))
    if reference.role == .folio, reference.order == nil {
      let entry = lookup.block(holding: reference.range.start)
      // A folio that is not an entry of its own is an error, and no more than its page is claimed.
      let isEntry = entry?.address == reference.range.start
      claim(isEntry ? entry?.range(in: geometry) ?? reference.range : reference.range, owner)
    } else {
      claim(reference.range.start, reference.range.byteCount, owner)
    }
    return true
  }

  mutating func visit(_ word: UInt64, notedBy owner: RecordOwner) {
    let address = PhysicalAddress(word)
    guard address != .zero, let entry = lookup.block(holding: address), entry.address == address
    else { return }
    claim(entry.range(in: geometry), MemoryOwner(.record(owner), .presumed))
  }

  mutating func report(_ finding: RecordFinding) {}

  private mutating func claim(
    _ start: PhysicalAddress, _ byteCount: UInt64, _ owner: MemoryOwner
  ) {
    guard let range = PhysicalRange(checkedStart: start, byteCount: byteCount),
      memory.contains(range)
    else { return }
    claim(range, owner)
  }

  private mutating func claim(_ range: PhysicalRange, _ owner: MemoryOwner) {
    guard let last = range.last else { return }
    window.add(
      first: range.start.rawValue, last: last.rawValue, owner: table.number(of: owner))
  }
}
