package import KexecHandover

extension DemoWorker {
  /// Fills two thirds of the memory: as many bytes in blocks of each order, an area that is scattered
  /// over what is free between blocks, and blobs with names.
  package mutating func fill(_ memory: inout PreservedMemory) throws(DemoFailure) {
    let geometry = memory.geometry
    let share = capacity / 22
    var order = PageOrder.zero
    var gaps: [PhysicalBlock] = []
    try DemoFailure.unless("the memory cannot be filled") { () throws(PreservedMemoryError) in
      while geometry.blockByteCount(order) <= share, order.rawValue < 11 {
        for _ in 0..<share / geometry.blockByteCount(order) {
          try addBlock(order, to: &memory)
          if order == .zero { gaps.append(try memory.allocate(.zero)) }
        }
        order = PageOrder(Int(order.rawValue) + 1)
      }
      // The blocks between those of one page become free, so the area is made of them.
      for block in gaps { try memory.free(block) }
      try makeArea(&memory, blockCount: UInt64(gaps.count) * 2)
      for number in 0..<Self.blobCount { try putBlob(number, in: &memory, isFirst: true) }
      try index.store(in: &memory, isFirst: true)
    }
  }

  /// Adds a block to memory and to the index, with bytes and their checksum.
  package mutating func addBlock(
    _ order: PageOrder, to memory: inout PreservedMemory
  ) throws(PreservedMemoryError) {
    let block = try memory.allocate(order)
    let seed = random.next()
    let checksum = memory.withMutableBytes(of: block.range(in: memory.geometry)) { bytes in
      fillForDemo(&bytes, byteCount: bytes.byteCount, seed: seed)
      return demoChecksum(bytes.bytes)
    }
    index.entries.append(DemoIndex.Entry(block: block, checksum: checksum))
  }

  /// Makes the area; the first word of each of its blocks is the checksum of the rest.
  private mutating func makeArea(
    _ memory: inout PreservedMemory, blockCount: UInt64
  ) throws(PreservedMemoryError) {
    try memory.makeArea(named: Self.areaName, blockCount: blockCount)
    for block in try memory.blocks(ofArea: Self.areaName) {
      let seed = random.next()
      memory.withMutableBytes(of: block.range(in: memory.geometry)) {
        Self.fillWithChecksum(&$0, byteCount: $0.byteCount, seed: seed)
      }
    }
  }

  /// Makes a blob, or puts a new one in its place: its first word is the checksum of the rest.
  package mutating func putBlob(
    _ number: Int, in memory: inout PreservedMemory, isFirst: Bool = false
  ) throws(PreservedMemoryError) {
    let byteCount = capacity / 512 + random.next() % (capacity / 256)
    let seed = random.next()
    let write = { (bytes: inout MutableRawSpan) in
      Self.fillWithChecksum(&bytes, byteCount: Int(byteCount), seed: seed)
    }
    let name = Self.blobName(number)
    if isFirst {
      try memory.makeRegion(named: name, byteCount: byteCount, write)
    } else {
      try memory.replaceRegion(named: name, byteCount: byteCount, write)
    }
  }

  private static func fillWithChecksum(
    _ bytes: inout MutableRawSpan, byteCount: Int, seed: UInt64
  ) {
    fillForDemo(&bytes, from: 8, byteCount: byteCount, seed: seed)
    let checksum = demoChecksum(bytes.bytes.extracting(0..<byteCount), from: 8)
    bytes.storeBytes(of: checksum, toByteOffset: 0, as: UInt64.self)
  }
}
