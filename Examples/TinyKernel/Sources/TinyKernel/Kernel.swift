import Handover
import Machine
import MemoryAccess
import PageAllocation

/// All plain memory of the machine, mapped one to one; devices and holes are not part of it.
typealias Memory = SparseDirectMap
typealias Incoming = IncomingHandover<Memory>
typealias Outgoing = OutgoingHandover<Memory, KernelAnchor>

let geometry = PageGeometry.pages4KiB

/// The kernel once it owns its memory: everything that the rest of a real kernel would build on.
struct Kernel: ~Copyable {
  let boot: BootInformation
  let memory: Memory
  /// The page allocator. It never hands out scratch memory.
  var frames: BuddyAllocator<Memory>
  /// What the next kernel will find, right at every instant.
  var handover: Outgoing
  /// What this kernel preserved.
  let ledger: Ledger
  /// The kernels that can be booted from here.
  let stash: Stash
}

/// The first Swift code that runs; the assembler before it made it possible to run any.
@c(kernel_main)
public func kernelMain(_ information: UInt64, _ entry: UInt32) {
  var boot = BootInformation(at: information, enteredBy: entry)
  PageTables.map(upTo: boot.end)
  let memory = makeMemory(boot)
  boot.findHandover(in: memory)
  let anchor = KernelAnchor(of: machine_image_start(), in: memory)
  say(
    "TinyKernel at \(hex: machine_image_start()), \(memory.byteCount >> 20) MiB in \(memory.rangeCount) ranges"
  )
  if boot.options.counts { countInstructions() }
  var kernel = start(boot, in: memory, anchor)
  if boot.options.resets { runUntilReset(&kernel) } else { runGeneration(&kernel) }
}

/// Comes into possession of memory, in one of three ways.
private func start(
  _ boot: BootInformation, in memory: Memory, _ anchor: KernelAnchor
) -> Kernel {
  if let address = boot.handover {
    return takeOver(address, boot, in: memory, anchor)
  }
  if boot.options.resets, let survivor = anchor.survivor {
    return recover(survivor, boot, in: memory, anchor)
  }
  return startCold(boot, in: memory, anchor)
}

/// The memory that the boot protocol names, as a type that reads and writes it by physical address.
private func makeMemory(_ boot: borrowing BootInformation) -> Memory {
  // SAFETY: nothing else uses this storage, which has room for 64 ranges.
  let storage = unsafe UnsafeMutableBufferPointer(
    start: machine_range_storage().assumingMemoryBound(to: PhysicalRange.self), count: 64)
  unsafe storage.initialize(repeating: PhysicalRange(start: .zero, byteCount: 0))
  for index in 0..<boot.regionCount where boot.region(index).kind == 1 {
    let limit = PhysicalRange(start: .zero, byteCount: PageTables.limit)
    guard let range = boot.region(index).range.intersection(limit) else { continue }
    unsafe storage[index] = range
  }
  // SAFETY: all of it is mapped one to one, for as long as the kernel runs.
  return unsafe SparseDirectMap(sorting: storage, displacement: 0, geometry: geometry)
}

// MARK: Early memory

/// The early allocator, with all memory that the boot protocol names and all of it reserved that is
/// in use already.
func makeMemblock(
  _ boot: borrowing BootInformation, in memory: Memory
) throws(MemblockError) -> Memblock<Memory> {
  // The lists of regions begin in the image, since the kernel does not have a heap yet; they move into free memory
  // when they grow.
  // SAFETY: nothing else uses this storage.
  var memblock = unsafe Memblock(
    in: memory, geometry: geometry,
    storage: UnsafeMutableRawBufferPointer(
      start: machine_list_storage(), count: Int(LIST_BYTES)))
  for index in 0..<memory.rangeCount {
    let range = memory.range(at: index)
    try memblock.add(range)
    #if arch(x86_64)
      // The firmware works at the top of memory below 4 GiB when the machine is reset.
      if let last = range.last, last.rawValue < 1 << 32, last.rawValue > 64 << 20 {
        try memblock.reserve(
          PhysicalRange(start: PhysicalAddress((last.rawValue + 1) - (2 << 20)), byteCount: 2 << 20)
        )
      }
    #endif
  }
  #if arch(x86_64)
    // Firmware, interrupt vectors, and what else was always in the first MiB.
    try memblock.reserve(PhysicalRange(start: .zero, byteCount: 1 << 20))
  #endif
  if boot.deviceTree != .zero {
    try memblock.reserve(PhysicalRange(start: boot.deviceTree, byteCount: 2 << 20))
  }
  try memblock.reserve(ownRange)
  if let module = boot.module {
    try memblock.reserve(FrameRange(covering: module, in: geometry).range(in: geometry))
  }
  return memblock
}

/// What the image, its heap and stack, and the boot area take.
var ownRange: PhysicalRange {
  PhysicalRange(
    start: PhysicalAddress(machine_image_start()), byteCount: UInt64(IMAGE_BYTES))
}

/// The page allocator over everything that is free and not scratch.
func makeAllocator(_ memblock: inout Memblock<Memory>) -> BuddyAllocator<Memory> {
  do throws(BuddyAllocatorError) {
    return try BuddyAllocator(
      from: &memblock, RegionFilter(excluded: [.scratch, .noMap, .hotplug]))
  } catch {
    panic("the page allocator cannot be built")
  }
}

// MARK: Cold start

/// The first generation: chooses the scratch areas, in which every later kernel starts, and begins an
/// empty handover.
private func startCold(
  _ boot: BootInformation, in memory: Memory, _ anchor: KernelAnchor
) -> Kernel {
  guard let module = boot.module, let stash = Stash(module) else {
    panic("the loader passed no kernels: see `run`")
  }
  var memblock: Memblock<Memory>
  let areas: [ScratchArea]
  do throws(MemblockError) {
    memblock = try makeMemblock(boot, in: memory)
    areas = try placeScratch(in: &memblock)
  } catch {
    panic("early memory: \(error.text)")
  }
  StackMeter.begin()
  var frames = makeAllocator(&memblock)
  StackMeter.end("BuddyAllocator.init(from:)")
  anchor.setUp(areas)
  do throws(OutgoingHandoverError) {
    StackMeter.begin()
    var handover = try Outgoing(
      in: memory, geometry: geometry, anchor: anchor, scratchAreas: areas, from: &frames)
    StackMeter.end("OutgoingHandover.init")
    StackMeter.begin()
    let table = try handover.createSubtree(
      named: Ledger.name, byteCount: Ledger.byteCount, from: &frames
    ) { _ in }
    StackMeter.end("createSubtree")
    try handover.preserve(FrameRange(covering: stash.range, in: geometry), from: &frames)
    try handover.addSubtree(stash.range, named: Stash.name, from: &frames)
    let ledger = Ledger(start: table.start, memory: memory)
    ledger.generation = 1
    say("generation 1: \(frames.freeFrameCount) frames free, nothing handed over to it")
    return Kernel(
      boot: boot, memory: memory, frames: frames, handover: handover, ledger: ledger, stash: stash)
  } catch {
    panic("the first handover: \(error.text)")
  }
}

private func placeScratch(
  in memblock: inout Memblock<Memory>
) throws(MemblockError) -> [ScratchArea] {
  // The image is in scratch memory itself, so that every later image fits there.
  let low = PhysicalRange(
    start: PhysicalAddress(machine_image_start() & ~0x3f_ffff), byteCount: 32 << 20)
  try memblock.mark(low, .scratch)
  let request = ScratchRequest.sizes(low: 0, global: 128 << 20, perNode: 0)
  StackMeter.begin()
  let others = try ScratchPlan(request, for: memblock).place(in: &memblock)
  StackMeter.end("ScratchPlan.place(in:)")
  return [ScratchArea(low)] + others
}
