import KexecHandover

// A hypervisor that prepares a handover in a guest's memory before the guest runs, and one that checks a
// guest's handover from outside, in the middle of whatever the guest does.
//
//     GuestHandover build FILE [MiB below 3 GiB [MiB from 4 GiB on]]
//     GuestHandover check FILE [the same]
let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2, arguments[0] == "build" || arguments[0] == "check" else {
  print("usage: GuestHandover build|check FILE [MiB below 3 GiB [MiB from 4 GiB on]]")
  exitProcess(64)
}
let sizes = arguments.dropFirst(2).map { UInt64($0) ?? 0 }
var slots = [PhysicalRange(start: .zero, byteCount: (sizes.first ?? 256) << 20)]
if let high = sizes.dropFirst().first ?? (sizes.isEmpty ? 256 : nil), high > 0 {
  slots.append(PhysicalRange(start: PhysicalAddress(4 << 30), byteCount: high << 20))
}
do {
  let memory = try GuestMemory(arguments[1], slots: slots, isNew: arguments[0] == "build")
  if arguments[0] == "build" { try build(in: memory, slots) }
  exitProcess(check(memory) ? 0 : 1)
} catch {
  print("GuestHandover: \(error)")
  exitProcess(1)
}

/// Writes a handover: a folio of 2 MiB and a blob that a kernel in the guest finds by name.
func build(in memory: GuestMemory, _ slots: [PhysicalRange]) throws {
  // The hypervisor acts as the guest's predecessor, so it needs the same two allocators.
  var memblock = Memblock(in: memory, geometry: .pages4KiB)
  for slot in slots { try memblock.add(slot) }
  // The guest's firmware and its kernel's first pages.
  try memblock.reserve(PhysicalRange(start: .zero, byteCount: 16 << 20))
  let request = try ScratchRequest(parsing: "32M,64M,0")
  let areas = try ScratchPlan(request, for: memblock).place(in: &memblock)
  var frames = try BuddyAllocator(from: &memblock, RegionFilter(excluded: [.scratch]))

  // What a boot protocol passes to the guest: the value of this word, and where the array is.
  guard let anchor = frames.takeFrame(), let array = frames.takeFrame() else { return }
  ScratchArea.writeArray(areas, at: array, in: memory)
  var handover = try OutgoingHandover(
    in: memory, geometry: .pages4KiB, anchor: WordAnchor(at: anchor, in: memory),
    scratchAreas: areas, from: &frames)
  let folio = try handover.allocatePreserved(PageOrder(9), from: &frames)
  try handover.createSubtree(named: "from-the-hypervisor", byteCount: 16, from: &frames) {
    $0.storeBytes(of: folio.address.rawValue, toByteOffset: 0, as: UInt64.self)
    $0.storeBytes(of: UInt64(folio.order.rawValue), toByteOffset: 8, as: UInt64.self)
  }
  print("scratch:", areas.map { "\($0.range)" }.joined(separator: " "))
  print("array of scratch areas at \(array), root device tree at \(handover.deviceTree.address)")
}

/// Reads every handover in the guest's memory, and trusts none of it. The guest may be running.
func check(_ memory: GuestMemory) -> Bool {
  var errorCount: UInt64 = 0
  var count = 0
  for address in HandoverScanner(memory).addresses {
    let survey = HandoverSurvey(.memory(address), in: memory, geometry: .pages4KiB)
    // Device trees that the guest replaced stay in free memory until something else is written there.
    if survey.findings.contains(where: {
      if case .deviceTreeNotPreserved = $0 { true } else { false }
    }) {
      continue
    }
    count += 1
    errorCount += survey.errorCount
    print(
      "root device tree at \(address): \(survey.pages?.entryCount ?? 0) entries,",
      "\((survey.pages?.preservedByteCount ?? 0) >> 10) KiB; blobs:",
      survey.subtrees.map { $0.subtree.name }.joined(separator: ", "))
    for finding in survey.findings { print("  \(finding)") }
  }
  print("\(count) handovers, \(errorCount) errors")
  return errorCount == 0 && count > 0
}
