// The code of the article "Using the core in your kernel", compiled so that it stays true. A test compares the
// two, and another one runs the code from generation to generation.

import Handover
import MemoryAccess
import PageAllocation

typealias KernelMemory = SparseDirectMap
typealias KernelHandover = OutgoingHandover<KernelMemory, WordAnchor<KernelMemory>>
let pages = PageGeometry.pages4KiB

/// The first start: chooses the areas in which every later kernel starts, and begins a handover.
/// `memblock` knows what is memory and what is in use; `entry` and `array` are in memory that stays.
func startCold(
  _ memblock: inout Memblock<KernelMemory>, entry: PhysicalAddress, array: PhysicalAddress
) throws(KernelFailure) {
  let memory = memblock.memory
  let request = ScratchRequest.sizes(low: 32 << 20, global: 128 << 20, perNode: 0)
  let areas = try attempt(KernelFailure.early) { () throws(MemblockError) in
    try ScratchPlan(request, for: memblock).place(in: &memblock)
  }
  ScratchArea.writeArray(areas, at: array, in: memory)
  let arrayByteCount = UInt64(areas.count * ScratchArea.byteCount)
  SetupDataRecord(
    deviceTree: .zero, scratchAreas: PhysicalRange(start: array, byteCount: arrayByteCount)
  ).write(at: entry, in: memory)
  var frames = try makeAllocator(&memblock)
  try attempt(KernelFailure.outgoing) { () throws(OutgoingHandoverError) in
    var handover = try KernelHandover(
      in: memory, geometry: pages,
      anchor: WordAnchor(at: SetupDataRecord.deviceTreeWord(ofEntryAt: entry), in: memory),
      scratchAreas: areas, from: &frames)
    // From here on the next kernel finds whatever is preserved, whenever it starts.
    let folio = try handover.allocatePreserved(PageOrder(9), from: &frames)
    try handover.createSubtree(named: "my-state", byteCount: 8, from: &frames) {
      $0.storeBytes(of: folio.address.rawValue, toByteOffset: 0, as: UInt64.self)
    }
  }
}

/// Every later start: `entry` is the setup data that the kexec passed on.
func goOn(
  _ memblock: inout Memblock<KernelMemory>, entry: PhysicalAddress
) throws(KernelFailure) {
  let memory = memblock.memory
  let (deviceTree, areas) = try attempt(KernelFailure.record) { () throws(RecordError) in
    let record = try SetupDataRecord(at: entry, in: memory)
    return (record.deviceTree, try ScratchArea.readArray(in: record.scratchAreas, of: memory))
  }
  // 1. Only scratch memory may be used, until 2. what the tree marks is reserved.
  try attempt(KernelFailure.early) { () throws(MemblockError) in
    for area in areas { try memblock.mark(area.range, .scratch) }
  }
  memblock.isScratchOnly = true
  try attempt(KernelFailure.reserving) { () throws(EarlyHandoverError) in
    _ = try EarlyHandover(at: deviceTree, in: memory, geometry: pages).reserve(in: &memblock)
  }
  // 3. Everything else is free, and there can be a heap.
  memblock.isScratchOnly = false
  var frames = try makeAllocator(&memblock)
  // 4. Check the whole of it, and give memory back to its owners.
  var incoming = try attempt(KernelFailure.incoming) { () throws(IncomingHandoverError) in
    try IncomingHandover(at: deviceTree, in: memory, geometry: pages)
  }
  let folio = try attempt(KernelFailure.incoming) { () throws(IncomingHandoverError) in
    let state = try incoming.subtree(named: "my-state").subtree.address
    let word = memory.withWords(at: state, count: 1) { PhysicalAddress($0.load(0)) }
    guard let folio = incoming.entry(holding: word) else {
      throw .neverPreserved(PhysicalBlock(address: word, order: .zero))
    }
    try incoming.restore(folio, from: &frames)
    return folio
  }
  // 5. Hand on the folio, which "my-state" still points to, and all that was not restored. Another word
  //    points to the new handover until it is complete; then one store switches to it. 6. The old tree is
  //    free.
  try attempt(KernelFailure.outgoing) { () throws(OutgoingHandoverError) in
    let draft = WordAnchor(at: entry.advanced(byBytes: 48), in: memory)
    var handover = try KernelHandover(
      in: memory, geometry: pages, anchor: draft, scratchAreas: areas, from: &frames)
    try handover.preserve(folio, from: &frames)
    try handover.preserveAll(of: incoming, from: &frames)
    handover.anchor = WordAnchor(at: SetupDataRecord.deviceTreeWord(ofEntryAt: entry), in: memory)
    handover.anchor.switchDeviceTree(to: handover.deviceTree.address)
  }
  incoming.retire(into: &frames)
}

/// The early allocator: `ranges` is the machine's memory as the boot protocol lists it, `image` is the kernel's
/// own memory, in which `lists` is.
func makeMemblock(
  _ ranges: UnsafeMutableBufferPointer<PhysicalRange>, displacement: UInt, image: PhysicalRange,
  lists: UnsafeMutableRawBufferPointer
) throws(MemblockError) -> Memblock<KernelMemory> {
  // SAFETY: the memory is mapped, and nothing else uses `ranges` and `lists`.
  let memory = unsafe SparseDirectMap(
    sorting: ranges, displacement: displacement, geometry: pages)
  // SAFETY: as above.
  var memblock = unsafe Memblock(in: memory, geometry: pages, storage: lists)
  for index in 0..<memory.rangeCount { try memblock.add(memory.range(at: index)) }
  try memblock.reserve(image)
  return memblock
}

/// The page allocator over everything that is free and not scratch.
private func makeAllocator(
  _ memblock: inout Memblock<KernelMemory>
) throws(KernelFailure) -> BuddyAllocator<KernelMemory> {
  do throws(BuddyAllocatorError) {
    return try BuddyAllocator(from: &memblock, RegionFilter(excluded: [.scratch]))
  } catch {
    throw .allocator(error)
  }
}

/// What can go wrong, by the step.
enum KernelFailure: Error {
  case early(MemblockError)
  case allocator(BuddyAllocatorError)
  case record(RecordError)
  case reserving(EarlyHandoverError)
  case incoming(IncomingHandoverError)
  case outgoing(OutgoingHandoverError)
}

/// Runs `body`, and names the step whose error it throws.
private func attempt<Value: ~Copyable, Failure: Error>(
  _ step: (Failure) -> KernelFailure, _ body: () throws(Failure) -> Value
) throws(KernelFailure) -> Value {
  do throws(Failure) { return try body() } catch { throw step(error) }
}
