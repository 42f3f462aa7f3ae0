package import KexecHandover

/// The blocks of the demo, each with its checksum: a region of preserved memory, replaced as a whole
/// whenever blocks come or go.
///
///     word 0  checksum of the rest      1  count      2  address, order, checksum; …
package struct DemoIndex {
  package struct Entry {
    package let block: PhysicalBlock
    package let checksum: UInt64
  }

  package static let name = "demo-index"

  package var entries: [Entry] = []

  package init() {}

  /// Reads the index; nil where it is not as it was written.
  package init?(in memory: borrowing PreservedMemory) throws(PreservedMemoryError) {
    guard let range = try memory.region(named: Self.name) else { return nil }
    let found: [Entry]? = memory.withBytes(of: range) { bytes in
      guard bytes.word(atByte: 0) == demoChecksum(bytes, from: 8),
        let count = bytes.word(atByte: 8), count <= bytes.byteCount / 24
      else { return nil }
      var entries: [Entry] = []
      for index in 0..<Int(count) {
        let offset = 16 + index * 24
        guard let address = bytes.word(atByte: offset), let order = bytes.word(atByte: offset + 8),
          let checksum = bytes.word(atByte: offset + 16), order < 52
        else { return nil }
        entries.append(
          Entry(
            block: PhysicalBlock(
              address: PhysicalAddress(address), order: PageOrder(Int(order))),
            checksum: checksum))
      }
      return entries
    }
    guard let found else { return nil }
    entries = found
  }

  /// Puts this index in the place of the one in memory, or makes the first.
  package func store(in memory: inout PreservedMemory, isFirst: Bool = false)
    throws(PreservedMemoryError)
  {
    let byteCount = 16 + entries.count * 24
    let write = { (bytes: inout MutableRawSpan) in
      bytes.storeBytes(of: UInt64(entries.count), toByteOffset: 8, as: UInt64.self)
      for (index, entry) in entries.enumerated() {
        let offset = 16 + index * 24
        bytes.storeBytes(
          of: entry.block.address.rawValue, toByteOffset: offset, as: UInt64.self)
        bytes.storeBytes(
          of: UInt64(entry.block.order.rawValue), toByteOffset: offset + 8, as: UInt64.self)
        bytes.storeBytes(of: entry.checksum, toByteOffset: offset + 16, as: UInt64.self)
      }
      let checksum = demoChecksum(bytes.bytes.extracting(0..<byteCount), from: 8)
      bytes.storeBytes(of: checksum, toByteOffset: 0, as: UInt64.self)
    }
    if isFirst {
      try memory.makeRegion(named: Self.name, byteCount: UInt64(byteCount), write)
    } else {
      try memory.replaceRegion(named: Self.name, byteCount: UInt64(byteCount), write)
    }
  }
}
