import MemoryAccess

/// Reads the chunk list of `kho-v1` from untrusted memory.
///
/// Source: `FormatChunkList.md`.
struct ChunkListReader<Memory: PhysicalMemory> {
  let memory: Memory
  let geometry: PageGeometry
  /// Where the first chunk is said to be; 0 means that nothing is preserved.
  let firstChunk: PhysicalAddress

  /// A bitmap as a chunk names it, before its size is known.
  struct Element {
    let place: PointerPlace
    let order: PageOrder
    let start: PhysicalAddress
    let bitmap: PhysicalAddress
  }

  /// What the list names.
  struct Listing {
    var chunks: [PhysicalAddress] = []
    var elements: [Element] = []
  }

  /// Follows the list; what is wrong goes to `findings`, and the walk goes on behind it if it can.
  ///
  /// - Complexity: O(chunks · page size), at most O(memory).
  func list(_ findings: inout FindingList) -> Listing {
    var listing = Listing()
    var reached = AddressSet()
    var place = PointerPlace.start
    var next = firstChunk
    while next != .zero {
      if let finding = geometry.finding(for: next, in: place, memory) {
        findings.append(finding)
        break
      }
      guard reached.insert(next.rawValue) else {
        findings.append(.cycle(in: place, pointer: next))
        break
      }
      listing.chunks.append(next)
      let chunk = next
      let page = geometry.page(at: chunk)
      let following: PhysicalAddress? = memory.withBytes(in: page) { bytes in
        readElements(of: chunk, bytes, into: &listing.elements, &findings)
        return bytes.word(atByte: ChunkLayout.nextOffset).map { PhysicalAddress($0) }
          ?? .zero
      }
      place = .chunkLink(chunk: chunk)
      next = following ?? .zero
    }
    return listing
  }

  private func readElements(
    of chunk: PhysicalAddress, _ bytes: RawSpan, into elements: inout [Element],
    _ findings: inout FindingList
  ) {
    guard let rawOrder = bytes.uint32(atByte: ChunkLayout.orderOffset),
      let count = bytes.uint32(atByte: ChunkLayout.countOffset)
    else { return }
    guard rawOrder <= UInt32(geometry.maximumOrder.rawValue) else {
      return findings.append(.chunkOrderImpossible(chunk: chunk, order: rawOrder))
    }
    let capacity = ChunkLayout.capacity(in: geometry)
    guard UInt64(count) <= UInt64(capacity) else {
      return findings.append(
        .chunkCountTooLarge(chunk: chunk, count: count, capacity: capacity))
    }
    if count == 0 { findings.append(.chunkEmpty(chunk: chunk)) }
    for index in 0..<Int(count) {
      let offset = ChunkLayout.elementOffset(index)
      guard let start = bytes.word(atByte: offset),
        let bitmap = bytes.word(atByte: offset &+ 8)
      else { return }
      elements.append(
        Element(
          place: .chunkElement(chunk: chunk, index: index), order: PageOrder(Int(rawOrder)),
          start: PhysicalAddress(start), bitmap: PhysicalAddress(bitmap)))
    }
  }
}
