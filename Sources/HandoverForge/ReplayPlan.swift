public import Handover
import MemoryAccess
public import MemoryImages

extension [ScratchArea] {
  /// Chooses scratch areas for the handover of another machine, around the memory that is to be loaded:
  /// one of 16 MiB, and one of `byteCount` for the kernel, first.
  ///
  /// - Parameter memoryByteCount: the size of the machine's memory, which starts at 0.
  /// - Throws: ``ForgeError/noRoom(byteCount:)``, ``ForgeError/nothingStored``.
  public init(
    replaying stored: MemoryMap, byteCount: UInt64, memoryByteCount: UInt64
  ) throws(ForgeError) {
    guard !stored.ranges.isEmpty else { throw .nothingStored }
    let unit: UInt64 = 4 << 20
    let end = memoryByteCount - Swift.min(memoryByteCount, 1 << 20)
    var taken = stored.ranges
    var areas: [ScratchArea] = []
    for wanted in [(byteCount + unit - 1) / unit * unit, 16 << 20] {
      // Below 16 MiB are the firmware and what old devices reach.
      var start: UInt64 = 16 << 20
      for range in taken.sorted(by: { $0.start < $1.start }) {
        guard let last = range.last, last.rawValue >= start else { continue }
        if range.start.rawValue >= start, range.start.rawValue - start >= wanted { break }
        start = (last.rawValue / unit + 1) * unit
      }
      guard start <= end, wanted <= end - start else { throw .noRoom(byteCount: wanted) }
      let range = PhysicalRange(start: PhysicalAddress(start), byteCount: wanted)
      taken.append(range)
      areas.append(ScratchArea(range))
    }
    self = areas
  }
}
