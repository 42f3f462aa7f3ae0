package import KexecHandover

extension DemoWorker {
  /// Adds some blocks, replaces a blob, and frees some blocks, as many as it added where
  /// `staysTheSame`. Killed at any instruction, this leaves an index that is right, and perhaps blocks
  /// that it does not know.
  package mutating func work(
    _ memory: inout PreservedMemory, staysTheSame: Bool
  ) throws(DemoFailure) {
    let orders = (0..<24).map { _ in PageOrder(Int(random.next() % 6)) }
    let blob = Int(random.next() % UInt64(Self.blobCount))
    do throws(PreservedMemoryError) {
      for order in orders { try addBlock(order, to: &memory) }
      try index.store(in: &memory)
      try putBlob(blob, in: &memory)
      // First the index forgets them, and then they are free.
      let unwanted = orders.dropFirst(staysTheSame ? 0 : 4).compactMap { takeBlock($0) }
      try index.store(in: &memory)
      for block in unwanted { try memory.free(block) }
    } catch {
      throw DemoFailure("generation \(generation) cannot go on: \(error.sentence)")
    }
  }

  /// Takes a block of `order` out of the index; nil if the index does not contain one.
  private mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? {
    let start = Int(random.next() % UInt64(index.entries.count))
    let found =
      index.entries[start...].firstIndex { $0.block.order == order }
      ?? index.entries.firstIndex { $0.block.order == order }
    guard let found else { return nil }
    index.entries.swapAt(found, index.entries.count - 1)
    return index.entries.removeLast().block
  }

  /// Frees the blocks that were allocated, or were about to be freed, when the predecessor was killed:
  /// those that neither a name nor the index points to.
  package func freeUnknownBlocks(_ memory: inout PreservedMemory) throws(DemoFailure) {
    do throws(PreservedMemoryError) {
      var unknown = Set<PhysicalBlock>()
      memory.forEachBlock { unknown.insert($0) }
      for entry in index.entries { unknown.remove(entry.block) }
      for name in try memory.names() {
        guard let range = try memory.region(named: name) else { continue }
        unknown.subtract(
          NaturalBlocks(FrameRange(covering: range, in: memory.geometry), in: memory.geometry))
      }
      unknown.subtract(try areaPages(memory))
      unknown = unknown.filter { !isDeviceTree($0, in: memory) }
      for block in unknown { try memory.free(block) }
      ledger[generation, .freedBlocks] = UInt64(unknown.count)
    } catch {
      throw DemoFailure("generation \(generation) cannot clean up: \(error.sentence)")
    }
  }

  /// The blocks of the area, and the chunks that name them.
  private func areaPages(
    _ memory: borrowing PreservedMemory
  ) throws(PreservedMemoryError) -> [PhysicalBlock] {
    guard let range = try memory.region(named: Self.areaName) else { return [] }
    let geometry = memory.geometry
    var pages: [PhysicalBlock] = []
    do throws(RecordError) {
      let area = try memory.withBytes(of: range) { (bytes) throws(RecordError) in
        try VmallocArea(parsing: bytes, in: geometry)
      }
      var steps = VmallocBlocks(area, in: memory.file, geometry: geometry)
      while let step = try steps.next() {
        switch step {
        case .chunk(let address): pages.append(PhysicalBlock(address: address, order: .zero))
        case .block(let block): pages.append(block)
        }
      }
    } catch {
      throw .handover(.areaDamaged(error))
    }
    return pages
  }

  private func isDeviceTree(
    _ block: PhysicalBlock, in memory: borrowing PreservedMemory
  ) -> Bool {
    guard let superblock = try? SuperblockContents(reading: memory.file) else { return false }
    return block.range(in: memory.geometry).contains(superblock.state.deviceTree)
  }
}
