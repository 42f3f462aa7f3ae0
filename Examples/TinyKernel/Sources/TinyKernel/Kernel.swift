import Handover
import Machine
import MemoryAccess
import PageAllocation

typealias Incoming = IncomingHandover<DirectMap>
typealias Outgoing = OutgoingHandover<DirectMap, KernelAnchor>

let geometry = PageGeometry.pages4KiB

/// The kernel once it owns its memory: everything that the rest of a real kernel would build on.
struct Kernel: ~Copyable {
  let boot: BootInformation
  let memory: DirectMap
  /// The page allocator. It never hands out scratch memory.
  var frames: BuddyAllocator<DirectMap>
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
  let boot = BootInformation(at: information, enteredBy: entry)
  let bounds = boot.bounds
  PageTables.map(upTo: bounds.start.rawValue + bounds.byteCount)
  // SAFETY: all of it is mapped one to one, for as long as the kernel runs.
  let memory = unsafe DirectMap(bounds, mappedAt: machine_pointer(bounds.start.rawValue))
  let anchor = KernelAnchor(of: machine_image_start(), in: memory)
  say(
    "TinyKernel at \(hex: machine_image_start()), memory \(bounds), stack \(machine_stack_peak())")
  if boot.options.counts { countInstructions(in: memory) }
  var kernel = start(boot, in: memory, anchor)
  if boot.options.resets { runUntilReset(&kernel) } else { runGeneration(&kernel) }
}

/// Comes into possession of memory, in one of three ways.
private func start(
  _ boot: BootInformation, in memory: DirectMap, _ anchor: KernelAnchor
) -> Kernel {
  if let address = boot.handover {
    return takeOver(address, boot, in: memory, anchor)
  }
  if boot.options.resets, let survivor = anchor.survivor {
    return recover(survivor, boot, in: memory, anchor)
  }
  return startCold(boot, in: memory, anchor)
}

// MARK: Early memory

/// The early allocator, with all memory that the boot protocol names and all of it reserved that is
/// in use already.
func makeMemblock(
  _ boot: borrowing BootInformation, in memory: DirectMap
) throws(MemblockError) -> Memblock<DirectMap> {
  var memblock = Memblock(in: memory, geometry: geometry)
  for index in 0..<boot.regionCount where boot.region(index).kind == 1 {
    guard let range = boot.region(index).range.intersection(memory.range) else { continue }
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
func makeAllocator(_ memblock: inout Memblock<DirectMap>) -> BuddyAllocator<DirectMap> {
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
  _ boot: BootInformation, in memory: DirectMap, _ anchor: KernelAnchor
) -> Kernel {
  guard let module = boot.module, let stash = Stash(module) else {
    panic("the loader passed no kernels: see `run`")
  }
  var memblock: Memblock<DirectMap>
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
  in memblock: inout Memblock<DirectMap>
) throws(MemblockError) -> [ScratchArea] {
  // The image lies in scratch memory itself, so that every later image fits there.
  let low = PhysicalRange(
    start: PhysicalAddress(machine_image_start() & ~0x3f_ffff), byteCount: 32 << 20)
  try memblock.mark(low, .scratch)
  let request = ScratchRequest.sizes(low: 0, global: 128 << 20, perNode: 0)
  StackMeter.begin()
  let others = try ScratchPlan(request, for: memblock).place(in: &memblock)
  StackMeter.end("ScratchPlan.place(in:)")
  return [ScratchArea(low)] + others
}
