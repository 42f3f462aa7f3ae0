import KexecHandover
import SystemPackage

/// What is in a memory file that is measured: blocks of one size, and each page contains where
/// it is, and a table by name of where the blocks are.
struct Contents {
  static let tableName = "table"

  let byteCount: UInt64
  let order: PageOrder

  var blockByteCount: UInt64 { PageGeometry.pages4KiB.blockByteCount(order) }
  var blockCount: UInt64 { byteCount / blockByteCount }

  /// What is in the first word of the page at `address`.
  static func stamp(_ address: UInt64) -> UInt64 { address &* 0x9e37_79b9_7f4a_7c15 | 1 }

  /// Makes all of it in a new file.
  func fill(_ path: FilePath) throws(PreservedMemoryError) {
    var memory = try PreservedMemory(creating: .path(path), byteCount: byteCount + byteCount / 16)
    let table = try memory.makeRegion(named: Self.tableName, byteCount: blockCount * 8)
    for index in 0..<blockCount {
      let block = try memory.allocate(order)
      let range = block.range(in: .pages4KiB)
      memory.withWords(of: range) { words in
        for page in 0..<order.frameCount {
          words.publish(Self.stamp(range.start.rawValue + page * 4096), at: Int(page * 512))
        }
      }
      memory.withWords(of: table) { $0.publish(range.start.rawValue, at: Int(index)) }
    }
  }
}

extension PreservedMemory {
  /// Where the blocks are, by the table that has a name.
  func table() throws(PreservedMemoryError) -> PhysicalRange? {
    try region(named: Contents.tableName)
  }

  /// The word at `address`.
  func word(at address: UInt64) -> UInt64 {
    let range = PhysicalRange(start: PhysicalAddress(address), byteCount: 8)
    return withBytes(of: range) { $0.word(atByte: 0) } ?? 0
  }

  /// How many of the pages do not say where they are; reads a word of each.
  func wrongPageCount(_ table: PhysicalRange, _ order: PageOrder) -> UInt64 {
    var count: UInt64 = 0
    for index in 0..<table.byteCount / 8 {
      let block = word(at: table.start.rawValue + index * 8)
      for page in 0..<order.frameCount {
        let address = block + page * 4096
        if word(at: address) != Contents.stamp(address) { count += 1 }
      }
    }
    return count
  }
}
