import Handover
import MemoryAccess
import PageAllocation
import PreservedPages

/// Where in the machine's memory everything is placed.
struct ForgeLayout {
  let memory: PhysicalRange
  let placement: [PhysicalRange]
  let scratchAreas: [ScratchArea]
  /// The largest scratch area, in which the kernel fits.
  let kernelScratch: PhysicalRange
  /// The largest block that the allocator forms.
  let maximumOrder: PageOrder

  /// Scratch areas and what is chosen here begin at multiples of it, and are as long: 4 MiB, the
  /// largest block of Linux's page allocator with pages of 4 KiB; 32 MiB with larger pages.
  private let unit: UInt64

  init(_ description: ForgeDescription) throws(ForgeError) {
    let geometry = description.geometry
    unit = max(4 << 20, UInt64(geometry.pageByteCount) << 11)
    let start =
      description.memoryStart ?? PhysicalAddress(description.machine == .x86_64 ? 0 : 0x4000_0000)
    let low = start.advanced(byBytes: 64 << 20)
    // QEMU's `virt` of arm64 loads the initramfs from 128 MiB on, and the device tree behind it.
    var next = start.advanced(byBytes: (description.machine == .x86_64 ? 128 : 256) << 20)
    if description.placement.isEmpty {
      let byteCount = Self.rounded(Self.byteCountWanted(description), to: unit)
      guard let range = PhysicalRange(checkedStart: next, byteCount: byteCount) else {
        throw .placeFull(frameCount: byteCount >> UInt64(geometry.shift))
      }
      placement = [range]
    } else {
      placement = description.placement
    }
    if description.scratchAreas.isEmpty {
      // Behind all that is placed.
      for range in placement {
        guard let last = range.last, last.rawValue < 1 << 52 else { throw .rangeInvalid(range) }
        next = max(next, PhysicalAddress(Self.rounded(last.rawValue + 1, to: unit)))
      }
      let lowRange = PhysicalRange(start: low, byteCount: max(16 << 20, unit))
      let byteCount = Self.rounded(min(description.scratchByteCount, 1 << 40), to: unit)
      scratchAreas = [lowRange, PhysicalRange(start: next, byteCount: byteCount)]
        .map(ScratchArea.init)
    } else {
      scratchAreas = description.scratchAreas.map(ScratchArea.init)
    }
    kernelScratch =
      scratchAreas.max { $0.range.byteCount < $1.range.byteCount }?.range
      ?? PhysicalRange(start: start, byteCount: 0)
    let used = placement + scratchAreas.map(\.range)
    var end = start.rawValue
    for range in used {
      guard let last = range.last, range.start >= start, last.rawValue < 1 << 52 else {
        throw .rangeInvalid(range)
      }
      end = max(end, last.rawValue + 1)
    }
    // The firmware, and what the kernel allocates once it knows what is preserved.
    let least = Self.rounded(end - start.rawValue + (64 << 20), to: 64 << 20)
    let byteCount = description.memoryByteCount ?? least
    guard let memory = PhysicalRange(checkedStart: start, byteCount: byteCount), !memory.isEmpty
    else { throw .rangeInvalid(PhysicalRange(start: start, byteCount: 0)) }
    self.memory = memory
    maximumOrder = PageOrder(max(13, 30 - geometry.shift))
    try check(used, geometry)
  }

  /// Each range consists of whole pages of the memory, and none overlaps another.
  private func check(_ ranges: [PhysicalRange], _ geometry: PageGeometry) throws(ForgeError) {
    let mask = UInt64(geometry.pageByteCount) - 1
    for (index, range) in ranges.enumerated() {
      guard !range.isEmpty, (range.start.rawValue | range.byteCount) & mask == 0,
        memory.contains(range), !ranges[..<index].contains(where: { $0.overlaps(range) })
      else { throw .rangeInvalid(range) }
    }
  }

  /// Enough for the contents, their folios' alignment, and the records and nodes that name them.
  private static func byteCountWanted(_ description: ForgeDescription) -> UInt64 {
    let page = UInt64(description.geometry.pageByteCount)
    var total: UInt64 = 0
    func add(_ byteCount: UInt64, alignedTo alignment: UInt64) {
      let whole = rounded(byteCount, to: alignment)
      total = total.addingReportingOverflow(whole).partialValue
    }
    for session in description.sessions ?? [] {
      add(2 * page, alignedTo: page)
      for file in session.files {
        let folio = page << UInt64(file.folioOrder.rawValue)
        add(file.contents.byteCount, alignedTo: folio)
        // Records of 16 bytes a page, the file's own, and some of the tree.
        add(file.contents.byteCount >> 7, alignedTo: page)
        add(2 * page, alignedTo: page)
      }
    }
    for region in description.regions { add(region.byteCount, alignedTo: page) }
    for blob in description.blobs { add(blob.contents.byteCount, alignedTo: page) }
    for order in description.test?.orders ?? [] {
      add(page << UInt64(order.rawValue), alignedTo: page)
    }
    return total + total >> 3 + (16 << 20)
  }

  private static func rounded(_ value: UInt64, to unit: UInt64) -> UInt64 {
    let (sum, overflow) = value.addingReportingOverflow(unit - 1)
    return (overflow ? .max : sum) / unit * unit
  }
}
