package import KexecHandover
internal import Platform

extension DemoWorker {
  /// Compares all bytes with their checksums.
  package mutating func verify(_ memory: borrowing PreservedMemory) throws(DemoFailure) {
    guard let found = try read({ () throws(PreservedMemoryError) in try DemoIndex(in: memory) })
    else { throw fail("the index is gone, or its checksum does not hold") }
    index = found
    for entry in index.entries { try verify(entry, in: memory) }
    let blocks = try read { () throws(PreservedMemoryError) in
      try memory.blocks(ofArea: Self.areaName)
    }
    for block in blocks {
      try verify(block.range(in: memory.geometry), "a block of the area", in: memory)
    }
    for number in 0..<Self.blobCount {
      let name = Self.blobName(number)
      let range = try read { () throws(PreservedMemoryError) in try memory.region(named: name) }
      guard let range else { throw fail("\(name) is gone") }
      try verify(range, name, in: memory)
    }
    ledger[generation, .verified] = SystemCalls.monotonicNanoseconds
  }

  private func read<Found>(
    _ body: () throws(PreservedMemoryError) -> Found
  ) throws(DemoFailure) -> Found {
    do throws(PreservedMemoryError) { return try body() } catch {
      throw fail("what was handed over cannot be found: \(error.sentence)")
    }
  }

  private func verify(
    _ entry: DemoIndex.Entry, in memory: borrowing PreservedMemory
  ) throws(DemoFailure) {
    let range = entry.block.range(in: memory.geometry)
    guard memory.file.contains(range),
      memory.withBytes(of: range, { demoChecksum($0) }) == entry.checksum
    else { throw fail("the block of order \(entry.block.order) at \(range.start) has changed") }
    held(range)
  }

  /// Compares bytes with the checksum in their first word.
  private func verify(
    _ range: PhysicalRange, _ name: String, in memory: borrowing PreservedMemory
  ) throws(DemoFailure) {
    let isRight = memory.withBytes(of: range) {
      $0.word(atByte: 0) == demoChecksum($0, from: 8)
    }
    guard isRight else { throw fail("\(name) at \(range.start) has changed") }
    held(range)
  }

  private func held(_ range: PhysicalRange) {
    if ledger[generation, .firstByte] == 0 {
      ledger[generation, .firstByte] = SystemCalls.monotonicNanoseconds
    }
    ledger[generation, .checksums] += 1
    ledger[generation, .checkedBytes] += range.byteCount
  }

  private func fail(_ sentence: String) -> DemoFailure {
    ledger[generation, .phase] = DemoLedger.Phase.failed.rawValue
    return DemoFailure("generation \(generation): \(sentence)")
  }
}
