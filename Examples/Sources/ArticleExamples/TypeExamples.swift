// The examples on the pages of types, so that the compiler checks them. A test compares each with its page.

import KexecHandover
import PersistentCollections
import SystemPackage

// TypeHandoverImage.md
func compare(_ first: FilePath, _ second: FilePath) throws {
  let (a, b) = (try HandoverImage.open(first), try HandoverImage.open(second))
  let diff = HandoverDiff(try .init(a), try .init(b))
  let sums = diff.forEachEntryRun { side, run in
    print(side == .a ? "only in A:" : "only in B:", run.byteCount)
  }
  print("in both:", sums.common.byteCount)
  for account in diff.b.survey.owners(in: b.memory).accounts {
    print(account.byteCount, account.owner.map { "\($0)" } ?? "no owner")
  }
}

// TypeRadixTree.md
func markAndFind() throws {
  let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 2 << 20)
  let memory = try AnonymousMemory(range)
  let nodes = PhysicalRange(start: range.start, byteCount: 1 << 20)
  var frames = FramePool(of: nodes, in: memory, geometry: .pages4KiB)
  var tree = try RadixTree(in: memory, geometry: RadixGeometry(.pages4KiB), from: &frames)
  let page = range.start.advanced(byBytes: 1 << 20)
  try tree.insert(RadixKey(page, order: .zero, in: .pages4KiB), from: &frames)

  let reader = RadixTreeReader(memory, geometry: RadixGeometry(.pages4KiB), root: tree.root)
  let survey = PreservedPagesSurvey(reader)
  print(survey.entryCount, "entry;", survey.findings.findings.count, "findings")
}

// TypeOutgoingHandover.md
func prepare() throws {
  let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 4 << 20)
  let memory = try AnonymousMemory(range)
  let free = PhysicalRange(start: range.start.advanced(byBytes: 4096), byteCount: 1023 << 12)
  var frames = try BuddyAllocator(
    free: [FrameRange(within: free, in: .pages4KiB)], in: memory, geometry: .pages4KiB)
  var handover = try OutgoingHandover(
    in: memory, geometry: .pages4KiB, anchor: WordAnchor(at: range.start, in: memory),
    scratchAreas: [], from: &frames)
  let page = try handover.allocatePreserved(.zero, from: &frames)
  try handover.createSubtree(named: "state", byteCount: 8, from: &frames) {
    $0.storeBytes(of: page.address.rawValue, toByteOffset: 0, as: UInt64.self)
  }

  let incoming = try IncomingHandover(
    at: handover.deviceTree.address, in: memory, geometry: .pages4KiB)
  print(try incoming.subtree(named: "state").subtree.address)
}

// TypePreservedMemory.md
func openTable() throws {
  var memory = try PreservedMemory.open("/dev/shm/service")
  var table = try memory.region(named: "table")
  if table == nil { table = try memory.makeRegion(named: "table", byteCount: 1 << 20) }
  guard let table else { return }
  let starts = memory.withWords(of: table) { words in
    let starts = words.load(0) + 1
    words.publish(starts, at: 0)
    return starts
  }
  print("start", starts, "of generation", memory.generation)
}

// TypePersistentMap.md
func countVisit(of page: String) throws {
  var visits = try PersistentMap<String, UInt64>.open(PreservedMemory.open("/dev/shm/visits"))
  try visits.setValue((visits.value(of: page) ?? 0) + 1, of: page)
  print(page, try visits.value(of: page) ?? 0)
}
