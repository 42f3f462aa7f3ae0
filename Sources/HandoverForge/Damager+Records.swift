import Handover
import MemoryAccess
import MemoryImages
import PreservedPages

extension Damager {
  /// Damages a record, or what it refers to.
  mutating func damageRecord(_ damage: ForgeDamage) throws(ForgeError) {
    switch damage {
    case .recordMalformed: setByte(try subtree(MemblockRecord.subtreeName, damage), to: 0)
    case .recordFormatUnknown:
      setByte(
        try subtree(LiveUpdateRecord.subtreeName, damage).advanced(byBytes: 5),
        to: UInt8(ascii: "9"))
    case .recordRefersUnpreserved:
      guard let folio = fileFolios.first else { throw .nothingToDamage(damage.rawValue) }
      try setBit(folio, false)
    case .recordEntryDiffers:
      let folio = try folio(testFolios, ofOrder: 3, damage)
      try setBit(folio, false)
      try setBit(PhysicalBlock(address: folio.address, order: PageOrder(2)), true)
    case .recordChecksum:
      guard let folio = testFolios.first else { throw .nothingToDamage(damage.rawValue) }
      set(folio.address, to: word(folio.address) ^ 1 << 17)
    case .recordNameRepeated:
      let sessions = try sessionBlock(ofAtLeast: 2, damage)
      for offset in stride(from: 0, to: UInt64(LiveUpdateSession.largestNameByteCount), by: 8) {
        set(
          sessions.second.advanced(byBytes: offset),
          to: word(sessions.first.advanced(byBytes: offset)))
      }
    case .recordUncounted:
      let sessions = try sessionBlock(ofAtLeast: 2, damage)
      set(sessions.count, to: word(sessions.count) - 1)
    default: try damageFile(damage)
    }
  }

  /// Damages the record of the first file. Its folios are in two words each: frame and marks, and index.
  private func damageFile(_ damage: ForgeDamage) throws(ForgeError) {
    guard let record = fileRecord, fileFolios.count >= 2 else {
      throw .nothingToDamage(damage.rawValue)
    }
    // The area of the folios, its first chunk, the first page of it.
    let chunk = PhysicalAddress(word(record.advanced(byBytes: 32)))
    let first = PhysicalAddress(word(chunk.advanced(byBytes: 8)))
    let second = first.advanced(byBytes: 16)
    let index = { (folio: PhysicalAddress) in folio.advanced(byBytes: 8) }
    switch damage {
    case .recordRefersOutsideMemory:
      let beyond = ((memory.range.last?.rawValue ?? 0) + 1 + (64 << 20)) >> UInt64(geometry.shift)
      set(first, to: beyond | 3 << 52)
    case .recordRefersTwice: set(second, to: word(first))
    case .memfdSize: set(record.advanced(byBytes: 8), to: 1 << 63)
    case .memfdFlags: set(record.advanced(byBytes: 16), to: 1 << 63)
    case .memfdIndex: set(index(second), to: 1 << 20)
    case .memfdOverlap: set(index(second), to: word(index(first)))
    case .memfdOrder:
      for (one, other) in [(first, second), (index(first), index(second))] {
        let kept = word(one)
        set(one, to: word(other))
        set(other, to: kept)
      }
    case .memfdIncomplete:
      let count = record.advanced(byBytes: 24)
      set(count, to: word(count) - 1)
    // Neither written nor filled.
    case .memfdContent: set(first, to: word(first) & ~(3 << 52))
    default: throw .nothingToDamage(damage.rawValue)
    }
  }

  /// The first block of session records: where it counts them, and where the first two are.
  private func sessionBlock(
    ofAtLeast count: UInt64, _ damage: ForgeDamage
  ) throws(ForgeError) -> (count: PhysicalAddress, first: PhysicalAddress, second: PhysicalAddress)
  {
    let record = try subtree(LiveUpdateRecord.subtreeName, damage)
    let block = PhysicalAddress(word(record.advanced(byBytes: 16)))
    guard block != .zero, word(block.advanced(byBytes: 8)) >= count else {
      throw .nothingToDamage(damage.rawValue)
    }
    let first = block.advanced(byBytes: 16)
    let second = first.advanced(byBytes: UInt64(LiveUpdateSession.byteCount))
    return (block.advanced(byBytes: 8), first, second)
  }
}
