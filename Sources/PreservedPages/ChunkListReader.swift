import MemoryModel

/// Reads the chunk list of `kho-v1` from memory that nobody vouches for.
///
/// Source: `abi.md` section 5.
struct ChunkListReader<Memory: PhysicalMemory> {
  let memory: Memory
  let geometry: PageGeometry
  /// Where the first chunk is said to lie; 0 means that nothing is preserved.
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
    var reached: Set<PhysicalAddress> = []
    var place = PointerPlace.start
    var next = firstChunk
    while next != .zero {
      if let finding = geometry.finding(for: next, in: place, memory) {
        findings.append(finding)
        break
      }
      guard reached.insert(next).inserted else {
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
    guard let rawOrder = bytes.halfWord(atByte: ChunkLayout.orderOffset),
      let count = bytes.halfWord(atByte: ChunkLayout.countOffset)
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

extension ChunkListReader {
  /// The size of the bitmaps in bytes, as `choice` says or as the elements betray it.
  func bitmapByteCount(
    _ choice: ChunkBitmapSize, for elements: [Element], _ findings: inout FindingList
  ) -> Int {
    let pageByteCount = geometry.pageByteCount
    let small = ChunkBitmapSize.smallByteCount
    switch choice {
    case .page: return pageByteCount
    case .bytes512: return small
    case .deduced:
      guard pageByteCount > small, !elements.isEmpty else { return pageByteCount }
      for element in elements where showsSmallBitmap(element) { return small }
      findings.append(.bitmapSizeAssumed(byteCount: pageByteCount))
      return pageByteCount
    }
  }

  /// Whether the element could not stand for a bitmap of a page, yet could for a small one.
  private func showsSmallBitmap(_ element: Element) -> Bool {
    let blockShift = geometry.shift &+ Int(element.order.rawValue)
    let smallBitmapShift = 9
    if !geometry.isPageAligned(element.bitmap) {
      return element.bitmap.isAligned(log2ByteCount: smallBitmapShift)
    }
    let pageBits = geometry.shift &+ 3
    return element.start.isAligned(
      log2ByteCount: min(blockShift &+ smallBitmapShift &+ 3, 64))
      && !element.start.isAligned(log2ByteCount: min(blockShift &+ pageBits, 64))
  }

  /// The bitmaps of `elements` that can be read.
  ///
  /// - Complexity: O(elements).
  func bitmaps(
    of elements: [Element], byteCount: Int, _ findings: inout FindingList
  ) -> [BlockBitmap] {
    var bitmaps: [BlockBitmap] = []
    var reached: Set<PhysicalAddress> = []
    var stretches: Set<PhysicalBlock> = []
    for element in elements {
      guard
        let bytes = PhysicalRange(
          checkedStart: element.bitmap, byteCount: UInt64(byteCount)),
        memory.contains(bytes), element.bitmap != .zero
      else {
        findings.append(.pointerOutsideMemory(in: element.place, pointer: element.bitmap))
        continue
      }
      let alignment = min(geometry.shift, byteCount.trailingZeroBitCount)
      guard element.bitmap.isAligned(log2ByteCount: alignment) else {
        findings.append(.pointerUnaligned(in: element.place, pointer: element.bitmap))
        continue
      }
      guard memory.withBytes(in: bytes, { _ in }) != nil else {
        findings.append(.nodeNotStored(in: element.place, pointer: element.bitmap))
        continue
      }
      let bitCount = byteCount &* 8
      let blockShift = geometry.shift &+ Int(element.order.rawValue)
      let spanShift = blockShift &+ bitCount.trailingZeroBitCount
      guard element.start.isAligned(log2ByteCount: min(spanShift, 64)) else {
        findings.append(
          .bitmapStartUnaligned(in: element.place, start: element.start, order: element.order))
        continue
      }
      guard reached.insert(element.bitmap).inserted else {
        findings.append(.nodeReachedTwice(in: element.place, pointer: element.bitmap))
        continue
      }
      let stretch = PhysicalBlock(address: element.start, order: element.order)
      guard stretches.insert(stretch).inserted else {
        findings.append(
          .bitmapRepeated(in: element.place, start: element.start, order: element.order))
        continue
      }
      // Of a bitmap that begins below 2^64 and would end beyond, the bits that still name blocks.
      let room = (0 &- element.start.rawValue) &>> UInt64(blockShift)
      let fitting = element.start == .zero ? UInt64.max &>> UInt64(blockShift) &+ 1 : room
      bitmaps.append(
        BlockBitmap(
          order: element.order, start: element.start, bytes: bytes, firstBit: 0,
          bitCount: Int(min(UInt64(bitCount), fitting))))
    }
    return bitmaps
  }
}

extension PageGeometry {
  /// What is wrong with `pointer`, which stands at `place` and should lead to a page; nil if nothing.
  func finding<Memory: PhysicalMemory>(
    for pointer: PhysicalAddress, in place: PointerPlace, _ memory: Memory
  ) -> PreservedPagesFinding? {
    switch status(of: pointer, in: memory) {
    case .unaligned: .pointerUnaligned(in: place, pointer: pointer)
    case .outsideMemory: .pointerOutsideMemory(in: place, pointer: pointer)
    case .notStored: .nodeNotStored(in: place, pointer: pointer)
    case .readable: nil
    }
  }
}
