public import Handover
public import MemoryAccess
public import MemoryImages
import PageAllocation

/// A handover in the memory of a machine that is still off, as a kernel would have left it.
///
///     0        16 MiB     64 MiB       128 MiB
///     ├─ free ─┤─ free …  ├ scratch ┤  ├ the handover … ├─ scratch for the kernel ─┤
///
/// A kernel finds it through its boot anchors: the setup data of x86-64 (``setupData``), or two
/// properties of `/chosen` on arm64 (``chosenProperties``).
public struct ForgedHandover {
  /// The machine's memory. Only ``stored`` has to be loaded; all else is zeros.
  public let memory: AnonymousMemory
  /// The page size.
  public let geometry: PageGeometry
  /// The bytes of the root device tree, in whole pages.
  public let deviceTree: PhysicalRange
  /// Where the boot anchors say that the root device tree is: the same, unless that is the damage that was
  /// asked for.
  public let announcedDeviceTree: PhysicalRange
  /// The scratch areas.
  public let scratchAreas: [ScratchArea]
  /// The bytes of the array that names them.
  public let scratchArray: PhysicalRange
  /// The entry for the boot loader's list of setup data.
  public let setupData: PhysicalAddress
  /// What has to be in memory when the kernel starts.
  public let stored: MemoryMap

  /// The machine's memory.
  public var machineMemory: PhysicalRange { memory.range }

  /// The two properties of `/chosen` by which an arm64 kernel finds the handover: address and size in
  /// bytes, each 64 bits in big-endian order.
  public var chosenProperties: [(name: String, value: [UInt8])] {
    func cells(_ range: PhysicalRange) -> [UInt8] {
      [range.start.rawValue, range.byteCount].flatMap { value in
        (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
      }
    }
    return [
      ("linux,kho-fdt", cells(announcedDeviceTree)), ("linux,kho-scratch", cells(scratchArray)),
    ]
  }
}

extension ForgedHandover {
  /// Forges what `description` says.
  ///
  /// - Throws: ``ForgeError``.
  /// - Complexity: O(bytes of the contents).
  public init(_ description: ForgeDescription) throws(ForgeError) {
    let layout = try ForgeLayout(description)
    let memory: AnonymousMemory
    do throws(MemoryImageError) { memory = try AnonymousMemory(layout.memory) } catch {
      throw .memory(error)
    }
    let geometry = description.geometry
    let covered = FrameRange(covering: layout.memory, in: geometry)
    // The allocator's map is the forger's own: it is in scratch memory, which is not loaded.
    guard
      layout.kernelScratch.byteCount
        >= BuddyAllocator<AnonymousMemory>.mapByteCount(
          covering: covered, maximumOrder: layout.maximumOrder, in: geometry)
    else { throw .noRoom(byteCount: layout.kernelScratch.byteCount) }
    var frames = BuddyAllocator(
      in: memory, geometry: geometry, covering: covered, maximumOrder: layout.maximumOrder,
      mapAt: layout.kernelScratch.start)
    for range in layout.placement {
      frames.manageFree(FrameRange(within: range, in: geometry))
    }
    let scratchArray = try frames.takeBytes(
      UInt64(layout.scratchAreas.count * ScratchArea.byteCount), geometry)
    let setupData = try frames.takeBytes(UInt64(SetupDataRecord.byteCount), geometry).start
    ScratchArea.writeArray(layout.scratchAreas, at: scratchArray.start, in: memory)
    var forger = try Forger(
      in: memory, description, scratchAreas: layout.scratchAreas,
      anchorAt: SetupDataRecord.deviceTreeWord(ofEntryAt: setupData), frames: frames)
    try forger.addAll(description)
    forger.clearFreeMemory()
    let announced: PhysicalRange
    if let damage = description.damage {
      deviceTree = forger.deviceTree
      var damager = forger.damager()
      announced = try damager.apply(damage)
    } else {
      deviceTree = forger.deviceTree
      announced = deviceTree
    }
    SetupDataRecord(
      deviceTree: announced.start, deviceTreeByteCount: announced.byteCount,
      scratchAreas: scratchArray
    ).write(at: setupData, in: memory)
    announcedDeviceTree = announced
    self.memory = memory
    self.geometry = geometry
    scratchAreas = layout.scratchAreas
    self.scratchArray = scratchArray
    self.setupData = setupData
    stored = memory.usedMemory(of: layout.placement, in: geometry)
  }
}

extension BuddyAllocator {
  /// Takes whole frames, filled with zeros, for `byteCount` bytes; gives those bytes.
  fileprivate mutating func takeBytes(
    _ byteCount: UInt64, _ geometry: PageGeometry
  ) throws(ForgeError) -> PhysicalRange {
    let pages = FrameRange(
      covering: PhysicalRange(start: .zero, byteCount: max(byteCount, 1)), in: geometry)
    guard let frames = takeFrames(pages.frameCount) else {
      throw .placeFull(frameCount: pages.frameCount)
    }
    return PhysicalRange(start: frames.start.address(in: geometry), byteCount: byteCount)
  }
}

extension AnonymousMemory {
  /// The start of each range, up to the last page that is not all zeros.
  fileprivate func usedMemory(of ranges: [PhysicalRange], in geometry: PageGeometry) -> MemoryMap {
    MemoryMap(
      ranges.compactMap { range in
        let pageByteCount = UInt64(geometry.pageByteCount)
        var byteCount = range.byteCount & ~(pageByteCount - 1)
        while byteCount > 0 {
          let page = PhysicalRange(
            start: range.start.advanced(byBytes: byteCount - pageByteCount),
            byteCount: pageByteCount)
          if withWords(
            at: page.start, count: geometry.pageWordCount,
            { words in (0..<geometry.pageWordCount).contains { words.load($0) != 0 } })
          {
            break
          }
          byteCount -= pageByteCount
        }
        return byteCount == 0 ? nil : PhysicalRange(start: range.start, byteCount: byteCount)
      })
  }
}
