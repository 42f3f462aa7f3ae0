import KexecHandover
import SystemPackage

/// The contents of a measured memory file: blocks of one size, whose pages contain a number that follows from
/// their address, and a named table of the blocks' addresses.
struct Contents {
  static let tableName = "table"

  let byteCount: UInt64
  let order: PageOrder

  var blockByteCount: UInt64 { PageGeometry.pages4KiB.blockByteCount(order) }
  var blockCount: UInt64 { byteCount / blockByteCount }

  /// The first word of the page at `address`.
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

/// The contents of a memory file that is far larger than the machine's memory: single pages all over it. One of
/// them has storage.
///
/// Each is an entry like any other: a page that was never written reads as zeros.
struct SpreadContents {
  let byteCount: UInt64

  /// How many of a thousand pages are preserved: 10^8 of 1 TiB.
  private static let share: UInt64 = 376

  /// Makes all of it in a new file.
  ///
  /// - Returns: the number of entries made.
  func fill(_ path: FilePath) throws -> UInt64 {
    let page = PageGeometry.pages4KiB
    // The nodes of the tree are in the last sixteenth. What the library allocates is in the first.
    let part = byteCount / 16
    do {
      var memory = try PreservedMemory(
        creating: .path(path), byteCount: byteCount, growableTo: byteCount)
      let table = try memory.makeRegion(named: Contents.tableName, byteCount: 8)
      let block = try memory.allocate(.zero)
      let address = block.address.rawValue
      memory.withWords(of: block.range(in: page)) { $0.publish(Contents.stamp(address), at: 0) }
      memory.withWords(of: table) { $0.publish(address, at: 0) }
    }
    let file = try MemoryFile.open(path)
    let contents = try MemoryContents(reading: file)
    guard let root = contents.survey?.deviceTree?.map else { fail("no tree") }
    var frames = FramePool(
      of: PhysicalRange(start: PhysicalAddress(byteCount - part), byteCount: part), in: file,
      geometry: page)
    var tree = RadixTree(adopting: root, in: file, geometry: RadixGeometry(page))
    var count: UInt64 = 0
    for frame in part >> 12..<(byteCount - part) >> 12 {
      let number = (frame &* 0x9e37_79b9_7f4a_7c15) >> 40
      guard number % 1000 < Self.share * 8 / 7 else { continue }
      let address = FrameNumber(frame).address(in: page)
      if try tree.insert(RadixKey(address, order: .zero, in: page), from: &frames) { count += 1 }
    }
    return count
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

  /// The number of pages whose first word is not the one of their address; reads a word of each.
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
