import Handover
import MemoryAccess
import PageAllocation
import PreservedPages

/// Takes over a handover on a machine whose memory has holes, before there is a heap, and hands all of it
/// on.
///
/// - Precondition: `ranges` holds `rangeCount` pairs of start and length in bytes; what they name is mapped
///   at `displacement` above its address; `lists` are `listByteCount` bytes aligned to 8.
@c
public func kho_probe_early(
  _ ranges: UnsafeMutableRawPointer, _ rangeCount: Int, _ displacement: UInt,
  _ lists: UnsafeMutableRawPointer, _ listByteCount: Int, _ setupData: UInt64
) -> UInt64 {
  // SAFETY: the caller promises the memory.
  let storage = unsafe UnsafeMutableBufferPointer(
    start: ranges.assumingMemoryBound(to: PhysicalRange.self), count: rangeCount)
  // SAFETY: the caller promises the memory.
  let memory = unsafe SparseDirectMap(
    sorting: storage, displacement: displacement, geometry: .pages4KiB)
  // SAFETY: the caller promises the memory.
  var memblock = unsafe Memblock(
    in: memory, geometry: .pages4KiB,
    storage: UnsafeMutableRawBufferPointer(start: lists, count: listByteCount))
  do throws(RecordError) {
    let first = PhysicalAddress(setupData)
    guard let entry = try SetupDataRecord.find(inListAt: first, of: memory) else { return 0 }
    let record = try SetupDataRecord(at: entry, in: memory)
    record.write(at: entry, in: memory)
    let anchor = WordAnchor(at: SetupDataRecord.deviceTreeWord(ofEntryAt: entry), in: memory)
    return takeOver(record.deviceTree, anchor, &memblock)
  } catch {
    return 0
  }
}

private func takeOver(
  _ deviceTree: PhysicalAddress, _ anchor: WordAnchor<SparseDirectMap>,
  _ memblock: inout Memblock<SparseDirectMap>
) -> UInt64 {
  let memory = memblock.memory
  do throws(EarlyHandoverError) {
    let early = try EarlyHandover(at: deviceTree, in: memory, geometry: .pages4KiB)
    let summary = try early.reserve(in: &memblock)
    guard summary.entryCount > 0 else { return 0 }
  } catch {
    return 0
  }
  do throws(BuddyAllocatorError) {
    var frames = try BuddyAllocator(from: &memblock)
    return handOn(deviceTree, anchor, from: &frames)
  } catch {
    return 0
  }
}

private func handOn(
  _ deviceTree: PhysicalAddress, _ anchor: WordAnchor<SparseDirectMap>,
  from frames: inout BuddyAllocator<SparseDirectMap>
) -> UInt64 {
  do throws(IncomingHandoverError) {
    var incoming = try IncomingHandover(at: deviceTree, in: frames.memory, geometry: .pages4KiB)
    let entry = incoming.entry(holding: deviceTree)
    do throws(OutgoingHandoverError) {
      var next = try OutgoingHandover(
        in: frames.memory, geometry: .pages4KiB, anchor: anchor, from: &frames)
      var sum = try next.preserveAll(of: incoming, from: &frames)
      let folio = try next.allocatePreserved(.zero, from: &frames)
      var checksum = KHOTestChecksum(.x86_64)
      frames.memory.withBytes(in: folio.range(in: .pages4KiB)) { checksum.add($0) }
      try next.addTestRecord(of: [folio], checksum: checksum, from: &frames)
      sum &+= entry?.order.frameCount ?? 0
      return sum
    } catch {
      return 0
    }
  } catch {
    return 0
  }
}
