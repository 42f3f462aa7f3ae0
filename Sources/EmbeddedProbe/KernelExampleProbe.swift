import MemoryAccess
import PageAllocation

/// Instantiates the example of the article for kernel authors.
///
/// - Precondition: `ranges` holds `count` ranges of memory that is mapped at its addresses, and `lists` is
///   `listByteCount` bytes aligned to 8, in the first MiB of the first range.
@c
public func kho_probe_example(
  _ ranges: UnsafeMutableRawPointer, _ count: Int, _ lists: UnsafeMutableRawPointer,
  _ listByteCount: Int, _ entry: UInt64, _ isFirst: Bool
) -> Bool {
  // SAFETY: the caller promises the ranges.
  let ranges = unsafe UnsafeMutableBufferPointer(
    start: ranges.assumingMemoryBound(to: PhysicalRange.self), count: count)
  let image = PhysicalRange(start: unsafe ranges[0].start, byteCount: 1 << 20)
  do throws(MemblockError) {
    // SAFETY: the caller promises the memory.
    var memblock = unsafe try makeMemblock(
      ranges, displacement: 0, image: image,
      lists: UnsafeMutableRawBufferPointer(start: lists, count: listByteCount))
    return start(&memblock, at: PhysicalAddress(entry), isFirst: isFirst)
  } catch {
    return false
  }
}

private func start(
  _ memblock: inout Memblock<KernelMemory>, at entry: PhysicalAddress, isFirst: Bool
) -> Bool {
  do throws(KernelFailure) {
    if isFirst {
      try startCold(&memblock, entry: entry, array: entry.advanced(byBytes: 4096))
    } else {
      try goOn(&memblock, entry: entry)
    }
    return true
  } catch {
    return false
  }
}
