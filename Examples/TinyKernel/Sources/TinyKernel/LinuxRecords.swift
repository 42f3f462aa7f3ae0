import Handover
import Machine
import MemoryAccess
import PageAllocation

// What Linux looks for beside the entries: who handed over, and the record of its own self-test,
// `test_kho`, which verifies folios that its predecessor filled.

/// Reads the self-test's record, where there is one, and compares the sum of its folios.
func inspectLinuxTest(_ incoming: borrowing Incoming) {
  let found: HandoverSurvey.Subtree
  do throws(IncomingHandoverError) {
    found = try incoming.subtree(named: KHOTestRecord.subtreeName)
  } catch {
    return
  }
  let memory = incoming.memory
  do throws(RecordError) {
    let record = try KHOTestRecord(
      at: found.subtree.address, byteCount: found.byteCount, in: memory, geometry: geometry)
    var folios = KHOTestFolios(of: record, in: memory, geometry: geometry)
    var checksum = KHOTestChecksum(architecture)
    while let folio = try folios.next() { memory.add(folio, to: &checksum) }
    guard checksum.value == record.checksum else {
      panic("test_kho: the sum of \(UInt64(record.folioCount)) folios is wrong")
    }
    say("  test_kho: \(UInt64(record.folioCount)) folios, the sum holds")
  } catch {
    panic("the record of test_kho cannot be read")
  }
}

#if arch(arm64)
  private let architecture = KHOTestChecksum.Architecture.arm64
#else
  private let architecture = KHOTestChecksum.Architecture.x86_64
#endif

extension Memory {
  fileprivate func add(_ folio: PhysicalBlock, to checksum: inout KHOTestChecksum) {
    let isRead: Void? = withBytes(in: folio.range(in: geometry)) { checksum.add($0) }
    if isRead == nil { panic("a folio of test_kho is not in memory") }
  }
}

extension Kernel {
  /// Adds the records, unless Linux's own come along already.
  mutating func addRecordsForLinux() throws(OutgoingHandoverError) {
    if try handover.subtree(named: KexecMetadata.subtreeName) != nil {
      try handover.removeSubtree(named: KexecMetadata.subtreeName, from: &frames)
    }
    try handover.addKexecMetadata(
      KexecMetadata(previousRelease: "TinyKernel", kexecCount: UInt32(ledger.generation)),
      from: &frames)
    if try handover.subtree(named: LiveUpdateRecord.subtreeName) == nil { try addFileForLinux() }
    if try handover.subtree(named: KHOTestRecord.subtreeName) == nil { try addTestForLinux() }
  }

  private mutating func addTestForLinux() throws(OutgoingHandoverError) {
    var folios: [PhysicalBlock] = []
    var checksum = KHOTestChecksum(architecture)
    for order in 0...10 {
      let folio = try handover.allocatePreserved(PageOrder(order), from: &frames)
      memory.fill(folio.range(in: geometry), from: folio.address.rawValue &* 31)
      memory.add(folio, to: &checksum)
      folios.append(folio)
    }
    StackMeter.begin()
    try handover.addTestRecord(of: folios, checksum: checksum, from: &frames)
    StackMeter.end("addTestRecord")
    if boot.options.damage == 3 {
      let word = folios[5].address.rawValue
      machine_store64(word, machine_load64(word) ^ 1)
    }
    say("  test_kho: \(folios.count) folios for Linux")
  }
}
