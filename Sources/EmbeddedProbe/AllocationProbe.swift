import MemoryAccess
import PageAllocation
import PreservedPages

/// Starts the allocators as a successor does, early one first, in the memory at `base`.
///
/// - Precondition: `base` is a multiple of the page size, and `byteCount` bytes from it are free.
@c
public func kho_probe_allocators(
  _ base: UnsafeMutableRawPointer, _ byteCount: UInt64
) -> UInt64 {
  let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: byteCount)
  // SAFETY: the caller promises the memory.
  let memory = unsafe DirectMap(range, mappedAt: base)
  var memblock = Memblock(in: memory, geometry: .pages4KiB)
  do throws(MemblockError) {
    try useEarly(&memblock, range)
  } catch {
    return 0
  }
  do throws(BuddyAllocatorError) {
    var frames = try BuddyAllocator(from: &memblock)
    var sum = try use(&frames)
    if let list = memblock.reservedListStorage {
      let rebuilt = try BuddyAllocator(
        free: CollectionOfOne(FrameRange(within: list, in: .pages4KiB)), in: memory,
        geometry: .pages4KiB)
      sum &+= rebuilt.freeFrameCount
    }
    return sum
  } catch {
    return 0
  }
}

private func useEarly(
  _ memblock: inout Memblock<DirectMap>, _ range: PhysicalRange
) throws(MemblockError) {
  try memblock.add(range, nodeID: NodeID(0))
  try memblock.mark(PhysicalRange(start: range.start, byteCount: range.byteCount / 2), .scratch)
  try memblock.setNode(NodeID(1), of: range)
  memblock.isScratchOnly = true
  let page = try memblock.allocate(MemblockRequest(byteCount: 4096, node: .preferred(NodeID(2))))
  try memblock.free(page)
  try memblock.reserve(page, flags: .preserved)
  try memblock.remove(PhysicalRange(start: .zero, byteCount: 4096))
  memblock.isScratchOnly = false
  var regionCount = 0
  memblock.forEachMemoryRegion { _ in regionCount += 1 }
  memblock.forEachReservedRegion { _ in regionCount += 1 }
  let isOdd =
    memblock.overlapsMemory(page) != memblock.isMemory(page)
    || memblock.overlapsReserved(page) != memblock.isReserved(page)
    || !memblock.isReserved(page.start) || memblock.memoryRegion(at: page.start) == nil
    || memblock.freeByteCount() &+ memblock.reservedByteCount != memblock.memoryByteCount
  do throws(AllocatorDamage) { try memblock.validate() } catch { throw .notMemory(page) }
  if isOdd || regionCount == 0 { throw .notMemory(page) }
}

private func use(
  _ frames: inout BuddyAllocator<DirectMap>
) throws(BuddyAllocatorError) -> UInt64 {
  let block = try frames.allocate(PageOrder(2))
  let run = try frames.allocate(frameCount: 5)
  try frames.free(block)
  try frames.free(run)
  try frames.allocate(run)
  try frames.free(run)
  frames.manage(run)
  frames.manageFree(run)
  var sum = frames.usedFrameCount &+ frames.freeBlockCount(.zero)
  sum &+= UInt64(frames.fragmentation(PageOrder(3))) &+ (frames.largestFreeOrder == nil ? 0 : 1)
  sum &+= frames.isFree(run.start) && frames.isManaged(run.start) ? 1 : 0
  frames.forEachFreeBlock { sum &+= $0.order.frameCount }
  frames.forEachFreeRange { sum &+= $0.frameCount }
  do throws(AllocatorDamage) { try frames.validate() } catch { sum = 0 }
  do throws(RadixTreeError) {
    var tree = try RadixTree(
      in: frames.memory, geometry: RadixGeometry(.pages4KiB), from: &frames)
    try tree.insert(RadixKey(block.address, order: block.order, in: .pages4KiB), from: &frames)
    sum &+= tree.destroy(into: &frames)
  } catch {
    sum = 0
  }
  return sum
}
