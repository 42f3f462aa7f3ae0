import Handover
import MemoryAccess
import PageAllocation
import PreservedPages

/// Prepares a handover in the memory at `base` and takes it over, with everything that one can hold.
///
/// - Precondition: `base` is a multiple of the page size, and `byteCount` bytes from it are free.
@c
public func kho_probe_lifecycle(
  _ base: UnsafeMutableRawPointer, _ byteCount: UInt64
) -> UInt64 {
  let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: byteCount)
  // SAFETY: the caller promises the memory.
  let memory = unsafe DirectMap(range, mappedAt: base)
  var memblock = Memblock(in: memory, geometry: .pages4KiB)
  do throws(MemblockError) {
    try memblock.add(range, nodeID: NodeID(0))
    let request: ScratchRequest
    do throws(ScratchRequestError) { request = try ScratchRequest(parsing: "0,4M,0") } catch {
      return 0
    }
    let areas = try ScratchPlan(request, for: memblock).place(in: &memblock)
    let array = try memblock.allocate(MemblockRequest(byteCount: 4096))
    ScratchArea.writeArray(areas, at: array.start, in: memory)
    do throws(RecordError) {
      let bytes = PhysicalRange(start: array.start, byteCount: 16)
      return prepare(&memblock, try ScratchArea.readArray(in: bytes, of: memory))
    } catch {
      return 0
    }
  } catch {
    return 0
  }
}

private func prepare(_ memblock: inout Memblock<DirectMap>, _ areas: [ScratchArea]) -> UInt64 {
  let filter = RegionFilter(excluded: [.scratch])
  do throws(BuddyAllocatorError) {
    var frames = try BuddyAllocator(from: &memblock, filter)
    let page = try frames.allocate(.zero)
    let anchor = WordAnchor(at: page.address, in: memblock.memory)
    do throws(OutgoingHandoverError) {
      var handover = try OutgoingHandover(
        in: memblock.memory, geometry: .pages4KiB, anchor: anchor, scratchAreas: areas,
        from: &frames)
      let area = try fill(&handover, from: &frames)
      let sum = try adopt(handover, areas)
      return sum &+ takeOver(handover.deviceTree.address, area, in: memblock.memory)
    } catch {
      return 0
    }
  } catch {
    return 0
  }
}

private typealias Outgoing = OutgoingHandover<DirectMap, WordAnchor<DirectMap>>

private func fill(
  _ handover: inout Outgoing, from frames: inout BuddyAllocator<DirectMap>
) throws(OutgoingHandoverError) -> VmallocArea {
  let block = try handover.allocatePreserved(PageOrder(2), from: &frames)
  let run = try handover.allocatePreserved(frameCount: 5, from: &frames)
  try handover.unpreserve(block)
  try handover.preserve(
    BlockRun(address: block.address, order: block.order, blockCount: 1), from: &frames)
  try handover.preserve(block, from: &frames)
  try handover.unpreserve(run)
  try handover.preserve(run, from: &frames)
  try handover.addSubtree(
    block.range(in: handover.geometry), named: "block", from: &frames)
  try handover.removeSubtree(named: "block", from: &frames)
  try handover.unpreserveAndFree(block, into: &frames)
  try handover.unpreserveAndFree(run, into: &frames)
  var announced = FrameRange(start: FrameNumber(0), frameCount: 0)
  _ = try handover.allocatePreserved(frameCount: 3, zeroed: false, from: &frames) {
    announced = $0
  }
  _ = try handover.unpreserveAndFreeIfPreserved(announced, into: &frames)
  try handover.createSubtree(named: "blob", byteCount: 5000, from: &frames) { _ in }
  try handover.replaceSubtree(named: "blob", byteCount: 9000, from: &frames) { _ in }
  try handover.removeSubtreeAndFree(named: "blob", from: &frames)
  try handover.addKexecMetadata(
    KexecMetadata(previousRelease: "probe", kexecCount: 1), from: &frames)
  try handover.addReservedRegions([], from: &frames)
  var records = try handover.allocateRecords(
    recordByteCount: 64, recordCount: 100, from: &frames)
  _ = records.append { $0.storeBytes(of: 1, toByteOffset: 0, as: UInt64.self) }
  var cursor = SerializedRecordCursor(
    .blocks(first: records.first), recordByteCount: 64, in: handover.memory,
    geometry: handover.geometry)
  do throws(RecordError) { _ = try cursor.nextRecord() } catch { throw .areaDamaged(error) }
  handover.free(records, into: &frames)
  let scattered = try handover.preserveArea([PhysicalAddress](), from: &frames)
  try handover.unpreserve(scattered, into: &frames)
  let freed = try handover.allocatePreservedArea(blockCount: 3, from: &frames)
  try handover.unpreserveAndFree(freed, into: &frames)
  handover.prune(into: &frames)
  return try handover.allocatePreservedArea(blockCount: 3, from: &frames)
}

private func adopt(
  _ handover: borrowing Outgoing, _ areas: [ScratchArea]
) throws(OutgoingHandoverError) -> UInt64 {
  var next = try OutgoingHandover(
    adopting: handover.tree.root, deviceTree: handover.deviceTree, in: handover.memory,
    geometry: handover.geometry, version: handover.version,
    anchor: WordAnchor(at: handover.anchor.address, in: handover.memory), scratchAreas: areas)
  try next.complete(HandoverChange())
  let subtree = try next.subtree(named: KexecMetadata.subtreeName)
  return subtree?.byteCount ?? 0
}

private func takeOver(
  _ deviceTree: PhysicalAddress, _ area: VmallocArea, in memory: DirectMap
) -> UInt64 {
  do throws(IncomingHandoverError) {
    var incoming = try IncomingHandover(at: deviceTree, in: memory, geometry: .pages4KiB)
    var memblock = Memblock(in: memory, geometry: .pages4KiB)
    var frames: BuddyAllocator<DirectMap>
    do throws(MemblockError) {
      try memblock.add(memory.range)
      try incoming.reserve(in: &memblock)
    } catch {
      return 0
    }
    do throws(BuddyAllocatorError) { frames = try BuddyAllocator(from: &memblock) } catch {
      return 0
    }
    let metadata = try incoming.subtree(named: KexecMetadata.subtreeName).subtree.address
    let page = PhysicalBlock(address: metadata, order: .zero)
    try incoming.restore(area, from: &frames)
    try incoming.restore(FrameRange(page, in: .pages4KiB), from: &frames)
    var sum: UInt64 = incoming.isRestored(page) && incoming.contains(page) ? 1 : 0
    var rest: [PhysicalBlock] = []
    incoming.forEachUnrestored { rest.append($0) }
    for block in rest {
      if block.address == deviceTree {
        try incoming.restore(block, from: &frames)
        incoming.takeBack(block, into: &frames)
        try incoming.restore(
          BlockRun(address: block.address, order: block.order, blockCount: 1), from: &frames)
      } else {
        try incoming.restoreAndFree(block, into: &frames)
      }
    }
    sum &+= incoming.retire(into: &frames)
    return sum
  } catch {
    return 0
  }
}
