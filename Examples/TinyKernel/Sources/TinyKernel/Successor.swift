import Handover
import Machine
import MemoryAccess
import PageAllocation
import PreservedPages

// The second generation and all after it: a kernel that finds a handover. The order of the steps is
// the whole point, so all of them are in one function.

func takeOver(
  _ address: BootInformation.Handover, _ boot: BootInformation, in memory: Memory,
  _ anchor: KernelAnchor
) -> Kernel {
  do throws(IncomingHandoverError) {
    // 1. Only scratch memory is known to be free: nothing is ever preserved there.
    let areas = scratchAreas(of: address, in: memory)
    var memblock = makeScratchMemblock(boot, areas, in: memory)

    // 2. Reserve what the tree marks, and its nodes. Another kernel wrote it, so nothing in it is
    //    trusted. From here on the rest of memory is free.
    reserve(address.deviceTree, in: &memblock)
    memblock.isScratchOnly = false
    StackMeter.begin()
    var frames = makeAllocator(&memblock)
    StackMeter.end("BuddyAllocator.init(from:)")

    // 3. With an allocator there can be a heap: check all of the handover, and what its blobs are.
    StackMeter.begin()
    var incoming = try Incoming(at: address.deviceTree, in: memory, geometry: geometry)
    StackMeter.end("IncomingHandover.init")

    // 4. Take back what is this kernel's own, and look whether it is unharmed.
    let isOwn = incoming.hasSubtree(Ledger.name)
    let ledger: Ledger
    let stash: Stash
    if isOwn {
      ledger = Ledger(
        start: try incoming.restoreSubtree(Ledger.name, from: &frames).start, memory: memory)
      guard let found = Stash(try incoming.restoreSubtree(Stash.name, from: &frames)) else {
        panic("the stash is damaged")
      }
      stash = found
      ledger.generation += 1
      say("generation \(ledger.generation): \(incoming.pages.entryCount) entries handed over")
      try restoreRecords(of: ledger, &incoming, &frames)
    } else {
      (ledger, stash) = makeOwn(boot, &frames, in: memory)
      say("generation 1, after Linux: \(incoming.pages.entryCount) entries handed over")
    }
    inspectLinuxTest(incoming)
    inspectLinuxFiles(incoming)

    // 5. Prepare the next handover beside the old one: until it is complete, the anchor points to the
    //    old one, and a reset finds that.
    if address.scratchArray.start.rawValue != machine_image_start() + UInt64(BOOT_SCRATCH) {
      anchor.setUp(areas)
    }
    do throws(OutgoingHandoverError) {
      var handover = try Outgoing(
        in: memory, geometry: geometry, anchor: anchor.draft(), scratchAreas: areas,
        from: &frames)
      try handover.preserve(ledger, stash, from: &frames)
      StackMeter.begin()
      let othersCount = try handover.preserveAll(of: incoming, from: &frames)
      StackMeter.end("preserveAll(of:)")
      if othersCount > 0 { say("  \(othersCount) entries of others preserved again") }
      try handover.addSubtree(ledger.range, named: Ledger.name, from: &frames)
      try handover.addSubtree(stash.range, named: Stash.name, from: &frames)
      handover.anchor.publish()

      // 6. The predecessor's tree and device tree become free memory.
      StackMeter.begin()
      let freedCount = incoming.retire(into: &frames)
      StackMeter.end("IncomingHandover.retire(into:)")
      say("  \(freedCount) frames of the old tree freed, \(frames.freeFrameCount) free")
      return Kernel(
        boot: boot, memory: memory, frames: frames, handover: handover, ledger: ledger,
        stash: stash)
    } catch {
      panic("the next handover: \(error.text)")
    }
  } catch {
    panic("the handover is refused: \(error.text)")
  }
}

/// The scratch areas that the predecessor names.
func scratchAreas(
  of address: BootInformation.Handover, in memory: Memory
) -> [ScratchArea] {
  do throws(RecordError) {
    return try ScratchArea.readArray(in: address.scratchArray, of: memory)
  } catch {
    panic("the array of scratch areas cannot be read")
  }
}

/// An early allocator that hands out scratch memory and nothing else.
func makeScratchMemblock(
  _ boot: borrowing BootInformation, _ areas: [ScratchArea], in memory: Memory
) -> Memblock<Memory> {
  do throws(MemblockError) {
    var memblock = try makeMemblock(boot, in: memory)
    for area in areas { try memblock.mark(area.range, .scratch) }
    memblock.isScratchOnly = true
    return memblock
  } catch {
    panic("early memory: \(error.text)")
  }
}

func reserve(_ deviceTree: PhysicalAddress, in memblock: inout Memblock<Memory>) {
  StackMeter.begin()
  do throws(EarlyHandoverError) {
    let early = try EarlyHandover(at: deviceTree, in: memblock.memory, geometry: geometry)
    try early.reserve(in: &memblock)
  } catch {
    panic("the handover is refused: \(error.text)")
  }
  StackMeter.end("EarlyHandover.reserve(in:)")
}

/// A ledger and a stash for the first generation after another kernel, which passed the kernels as a
/// module in scratch memory.
private func makeOwn(
  _ boot: borrowing BootInformation, _ frames: inout BuddyAllocator<Memory>,
  in memory: Memory
) -> (Ledger, Stash) {
  guard let module = boot.module, module.byteCount > 0,
    let table = frames.takeFrames(Ledger.byteCount / UInt64(geometry.pageByteCount)),
    let place = frames.takeFrames(FrameRange(covering: module, in: geometry).frameCount)
  else { panic("no room for a ledger and the kernels") }
  let ledger = Ledger(start: table.start.address(in: geometry), memory: memory)
  machine_fill(ledger.start.rawValue, 0, Ledger.byteCount)
  ledger.generation = 1
  let start = place.start.address(in: geometry)
  machine_copy(start.rawValue, module.start.rawValue, module.byteCount)
  guard let stash = Stash(PhysicalRange(start: start, byteCount: module.byteCount)) else {
    panic("the module is not a stash")
  }
  return (ledger, stash)
}

/// Restores every record of the ledger and compares its contents with the sum that was written down.
private func restoreRecords(
  of ledger: Ledger, _ incoming: inout Incoming, _ frames: inout BuddyAllocator<Memory>
) throws(IncomingHandoverError) {
  var goodCount = 0
  for index in 0..<ledger.count {
    let record = ledger[index]
    let sum: UInt64
    if record.kind == Ledger.area {
      try incoming.restore(record.area, from: &frames)
      sum = ledger.memory.sum(record.area)
    } else {
      if index == 0 { StackMeter.begin() }
      try incoming.restore(record.block, from: &frames)
      if index == 0 { StackMeter.end("IncomingHandover.restore(block)") }
      sum = ledger.memory.sum(record.block.range(in: geometry))
    }
    if sum == record.checksum {
      goodCount += 1
    } else {
      say("  \(record.block): the sum is \(hex: sum), not \(hex: record.checksum)")
    }
  }
  guard goodCount == ledger.count else {
    panic("\(ledger.count - goodCount) of \(ledger.count) checksums are wrong")
  }
  say("  all \(goodCount) checksums hold")
}

extension IncomingHandover {
  fileprivate func hasSubtree(_ name: String) -> Bool {
    do throws(IncomingHandoverError) {
      _ = try subtree(named: name)
      return true
    } catch {
      return false
    }
  }

  /// Restores the frames of a blob that ``OutgoingHandover`` made, and gives its bytes.
  mutating func restoreSubtree(
    _ name: String, from frames: inout BuddyAllocator<Memory>
  ) throws(IncomingHandoverError) -> PhysicalRange {
    let found = try subtree(named: name)
    guard
      let range = PhysicalRange(
        checkedStart: found.subtree.address, byteCount: found.byteCount ?? 0)
    else { throw .subtreeNotPreserved(address: found.subtree.address) }
    try restore(FrameRange(covering: range, in: geometry), from: &frames)
    return range
  }
}

extension OutgoingHandover where Memory == Memory, Anchor == KernelAnchor {
  /// Preserves again what this kernel took back. The caller adds the names.
  fileprivate mutating func preserve(
    _ ledger: Ledger, _ stash: Stash, from frames: inout BuddyAllocator<Memory>
  ) throws(OutgoingHandoverError) {
    for index in 0..<ledger.count {
      let record = ledger[index]
      if record.kind == Ledger.area {
        try preserve(record.area, from: &frames)
      } else {
        try preserve(record.block, from: &frames)
      }
    }
    try preserve(FrameRange(covering: ledger.range, in: geometry), from: &frames)
    try preserve(FrameRange(covering: stash.range, in: geometry), from: &frames)
  }
}
