import HandoverTestSupport
import KexecHandover
import Testing

/// The entry through which a kernel for x86-64 learns of its handover.
@Suite struct SetupDataTests {
  private func memory() throws -> AnonymousMemory {
    try AnonymousMemory(PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 1 << 16))
  }

  @Test func writtenAndReadBack() throws {
    let memory = try memory()
    let address = PhysicalAddress(0x10_1008)
    let record = SetupDataRecord(
      deviceTree: PhysicalAddress(0x10_4000), deviceTreeByteCount: 16384,
      scratchAreas: PhysicalRange(start: PhysicalAddress(0x10_2000), byteCount: 48))
    record.write(at: address, in: memory)
    #expect(try SetupDataRecord(at: address, in: memory) == record)
    // As the boot protocol has it: next, type and length as 32 bits each, then four words.
    #expect(
      (0..<6).map { memory.word(at: address.rawValue + $0 * 8) }
        == [0, 32 << 32 | 10, 0x10_4000, 16384, 0x10_2000, 48])
    let word = SetupDataRecord.deviceTreeWord(ofEntryAt: address)
    var anchor = WordAnchor(at: word, in: memory)
    #expect(anchor.deviceTree == record.deviceTree)
    anchor.switchDeviceTree(to: PhysicalAddress(0x10_5000))
    #expect(
      try SetupDataRecord(at: address, in: memory).deviceTree == PhysicalAddress(0x10_5000))
  }

  @Test func listsWithAndWithoutAnEnd() throws {
    let memory = try memory()
    let areas = PhysicalRange(start: PhysicalAddress(0x10_2000), byteCount: 16)
    let record = SetupDataRecord(deviceTree: PhysicalAddress(0x10_4000), scratchAreas: areas)
    #expect(try SetupDataRecord.find(inListAt: .zero, of: memory) == nil)
    // Two entries of another type, then this one.
    let entries = [0x10_0000, 0x10_0100, 0x10_0200] as [UInt64]
    for index in 0..<2 {
      memory.setWord(entries[index + 1], at: entries[index])
      memory.setWord(32 << 32 | 9, at: entries[index] + 8)
    }
    record.write(at: PhysicalAddress(entries[2]), in: memory)
    let first = PhysicalAddress(entries[0])
    #expect(
      try SetupDataRecord.find(inListAt: first, of: memory) == PhysicalAddress(entries[2]))
    #expect(throws: RecordError.magicWrong(9)) { try SetupDataRecord(at: first, in: memory) }
    // A list that comes back to its start.
    memory.setWord(entries[0], at: entries[1])
    #expect(throws: RecordError.chainTooLong(limit: 1024)) {
      try SetupDataRecord.find(inListAt: first, of: memory)
    }
    memory.setWord(.max - 3, at: entries[1])
    #expect(throws: RecordError.self) { try SetupDataRecord.find(inListAt: first, of: memory) }
    memory.setWord(31 << 32 | 10, at: entries[2] + 8)
    #expect(throws: RecordError.blobTooShort(byteCount: 31, needed: 32)) {
      try SetupDataRecord(at: PhysicalAddress(entries[2]), in: memory)
    }
    memory.setWord(32 << 32 | 10, at: entries[2] + 8)
    memory.setWord(.max, at: entries[2] + 32)
    #expect(throws: RecordError.rangeImpossible(start: PhysicalAddress(.max), byteCount: 16)) {
      try SetupDataRecord(at: PhysicalAddress(entries[2]), in: memory)
    }
  }
}
