import DeviceTreeBlob
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
    var checksum = LinuxChecksum()
    while let folio = try folios.next() { checksum.add(folio, in: memory) }
    guard checksum.value == record.checksum else {
      panic("test_kho: the sum of \(UInt64(record.folioCount)) folios is wrong")
    }
    say("  test_kho: \(UInt64(record.folioCount)) folios, the sum holds")
  } catch {
    panic("the record of test_kho cannot be read")
  }
}

/// The checksum of the self-test over the contents of folios.
private struct LinuxChecksum {
  private var total: UInt64 = 0

  mutating func add(_ folio: PhysicalBlock, in memory: DirectMap) {
    let sum = memory.sum(folio.range(in: geometry))
    #if arch(arm64)
      // Each folio's sum modulo 2^16 − 1, and their sum in 32 bits.
      total += sum == 0 ? 0 : sum % 0xffff == 0 ? 0xffff : sum % 0xffff
      total = total & 0xffff_ffff + total >> 32
    #else
      // The sum of all words modulo 2^32 − 1, which is 0 only where every bit is.
      total += sum
    #endif
  }

  var value: UInt32 {
    let rest = total % 0xffff_ffff
    return total == 0 ? 0 : rest == 0 ? 0xffff_ffff : UInt32(rest)
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
    try addFileForLinux()
    guard try handover.subtree(named: KHOTestRecord.subtreeName) == nil else { return }

    var folios = InlineArray<11, UInt64>(repeating: 0)
    var checksum = LinuxChecksum()
    for order in 0...10 {
      let block = try handover.allocatePreserved(PageOrder(order), from: &frames)
      memory.fill(block.range(in: geometry), from: block.address.rawValue &* 31)
      checksum.add(block, in: memory)
      folios[order] = block.address.rawValue | UInt64(order)
    }
    let list = try handover.allocatePreservedArea(blockCount: 1, from: &frames)
    var blocks = VmallocBlocks(list, in: memory, geometry: geometry)
    do throws(RecordError) {
      while let step = try blocks.next() {
        guard case .block(let block) = step else { continue }
        memory.withWords(at: block.address, count: folios.count) { words in
          for index in 0..<folios.count { words.publish(folios[index], at: index) }
        }
      }
    } catch {
      throw .areaDamaged(error)
    }
    let sum = checksum.value ^ (boot.options.damage == 3 ? 1 : 0)
    var descriptor = InlineArray<2, UInt64>(repeating: 0)
    do {
      var span = descriptor.mutableSpan
      // SAFETY: any bytes are words.
      var bytes = unsafe span.mutableBytes
      list.write(to: &bytes)
    }
    try handover.createSubtree(
      named: KHOTestRecord.subtreeName, byteCount: 512, from: &frames
    ) { bytes in
      do throws(DeviceTreeWriterError) {
        _ = try DeviceTreeWriter.write(into: &bytes) { (writer) throws(DeviceTreeWriterError) in
          try writer.property("compatible", string: "kho-test-v1")
          try writer.property("magic", nativeUInt32: 0x4b48_4f21)
          try writer.beginNode("data")
          try writer.property("nr_folios", nativeUInt32: UInt32(folios.count))
          // SAFETY: words have no padding.
          let bytes = unsafe descriptor.span.bytes
          try writer.property("folios_info", bytes: bytes)
          try writer.property("csum", nativeUInt32: sum)
          try writer.endNode()
        }
      } catch {
        panic("the record of test_kho cannot be written")
      }
    }
    say("  test_kho: \(folios.count) folios for Linux")
  }
}
