import DeviceTreeBlob
import Handover
package import MemoryAccess

/// What a boot loader, or the kernel before, left in memory for the kernel that it started. It contains the addresses
/// of the root device tree and of the array of scratch areas.
///
/// Source: `FormatScratch.md`.
package enum BootAnchor: Hashable, Sendable {
  /// What may be an entry of the list of setup data, on x86-64.
  case setupData(PhysicalAddress)
  /// A device tree that is not the root of a handover: on arm64, that of the machine.
  case machineTree(PhysicalAddress)

  /// The scratch areas, if this is the anchor of one of the handovers at `roots`; nil for anything else, and if the
  /// areas cannot be read.
  ///
  /// Eight bytes anywhere in memory can resemble an anchor. So an anchor counts only if it contains the address of a
  /// root device tree that was found, and if its areas exist and do not overlap.
  package func scratchAreas(
    ofHandoversAt roots: [PhysicalAddress], in memory: some PhysicalMemory
  ) -> [PhysicalRange]? {
    guard let named = named(in: memory), roots.contains(named.deviceTree),
      let areas = try? ScratchArea.readArray(in: named.scratchAreas, of: memory), !areas.isEmpty
    else { return nil }
    let ranges = areas.map(\.range)
    let sorted = ranges.sorted { $0.start < $1.start }
    for (range, next) in zip(sorted, sorted.dropFirst()) where range.overlaps(next) { return nil }
    return ranges
  }

  private func named(
    in memory: some PhysicalMemory
  ) -> (deviceTree: PhysicalAddress, scratchAreas: PhysicalRange)? {
    switch self {
    case .setupData(let address):
      guard let record = try? SetupDataRecord(at: address, in: memory) else { return nil }
      return (record.deviceTree, record.scratchAreas)
    case .machineTree(let address):
      guard let bytes = try? memory.deviceTreeBytes(at: address) else { return nil }
      return bytes.withRawSpan { Self.chosen(of: $0) }
    }
  }

  private static func chosen(
    of bytes: RawSpan
  ) -> (deviceTree: PhysicalAddress, scratchAreas: PhysicalRange)? {
    guard let tree = try? DeviceTree(validating: bytes),
      let chosen = try? tree.root.child(named: "chosen"),
      let root = range(of: "linux,kho-fdt", in: chosen),
      let array = range(of: "linux,kho-scratch", in: chosen)
    else { return nil }
    return (root.start, array)
  }

  private static func range(of name: String, in node: borrowing DeviceTreeNode) -> PhysicalRange? {
    guard let property = try? node.property(named: name), let pair = property.bigEndianUInt64Pair
    else { return nil }
    return PhysicalRange(checkedStart: PhysicalAddress(pair.first), byteCount: pair.second)
  }
}
