import KexecHandover

/// What a successor does at boot: all of 16 GiB is free but what the set holds.
enum Rebuild {
  private static let memory: AnonymousMemory = {
    let range = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 16 << 20)
    guard let memory = try? AnonymousMemory(range, usesHugePages: true) else {
      fatalError("no memory for the allocator's map")
    }
    return memory
  }()

  static func run(_ set: any PageSet) {
    let frames = FrameRange(start: FrameNumber(0), frameCount: 16 * Workloads.gibibyte)
    // SAFETY: `memory` is never freed.
    var builder = BuddyAllocatorBuilder(
      in: unsafe memory.unsafeDirectMap, geometry: .pages4KiB, covering: frames,
      mapAt: memory.range.start)
    builder.manage(frames)
    set.forEachRun { first, count in
      let block = RadixKey(rawValue: first).decoded(in: .pages4KiB)!
      builder.use(
        FrameRange(
          start: FrameNumber(block.address.rawValue >> 12),
          frameCount: count << UInt64(block.order.rawValue)))
    }
    let allocator = builder.finish()
    keep(allocator.freeFrameCount)
  }
}
