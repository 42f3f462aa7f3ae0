import MemoryAccess

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

  /// Whether the element could not represent a bitmap of a page, yet could for a small one.
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

  /// The bitmaps of `listing` that can be read; none is in a chunk, and no two share bytes or
  /// blocks.
  ///
  /// - Complexity: O(elements).
  func bitmaps(
    of listing: Listing, byteCount: Int, _ findings: inout FindingList
  ) -> [BlockBitmap] {
    var bitmaps: [BlockBitmap] = []
    var chunks = AddressSet()
    for chunk in listing.chunks { _ = chunks.insert(chunk.rawValue) }
    var reached = AddressSet()
    var stretches = AddressSet()
    for element in listing.elements {
      do throws(PreservedPagesFinding) {
        let bitmap = try bitmap(of: element, byteCount: byteCount)
        // A small bitmap may be in a page with others, but not in a chunk's.
        let page = element.bitmap.rawValue & ~(UInt64(geometry.pageByteCount) &- 1)
        guard !chunks.contains(page), reached.insert(element.bitmap.rawValue)
        else {
          throw .nodeReachedTwice(in: element.place, pointer: element.bitmap)
        }
        // A start is a multiple of the bitmap's span, so the order has room in its low bits.
        let stretch = element.start.rawValue | UInt64(element.order.rawValue)
        guard stretches.insert(stretch) else {
          throw .bitmapRepeated(in: element.place, start: element.start, order: element.order)
        }
        bitmaps.append(bitmap)
      } catch {
        findings.append(error)
      }
    }
    return bitmaps
  }

  /// The bitmap that `element` names.
  private func bitmap(
    of element: Element, byteCount: Int
  ) throws(PreservedPagesFinding) -> BlockBitmap {
    guard element.bitmap != .zero,
      let bytes = PhysicalRange(checkedStart: element.bitmap, byteCount: UInt64(byteCount))
    else { throw .pointerOutsideMemory(in: element.place, pointer: element.bitmap) }
    let alignment = min(geometry.shift, byteCount.trailingZeroBitCount)
    guard element.bitmap.isAligned(log2ByteCount: alignment) else {
      throw .pointerUnaligned(in: element.place, pointer: element.bitmap)
    }
    if let finding = memory.finding(for: bytes, in: element.place) { throw finding }

    let blockShift = geometry.shift &+ Int(element.order.rawValue)
    let bitCount = byteCount &* 8
    let spanShift = min(blockShift &+ bitCount.trailingZeroBitCount, 64)
    guard element.start.isAligned(log2ByteCount: spanShift) else {
      throw .bitmapStartUnaligned(in: element.place, start: element.start, order: element.order)
    }
    // Of a bitmap that would end beyond 2^64, the bits that still name blocks.
    let last = (UInt64.max &- element.start.rawValue) &>> UInt64(blockShift)
    return BlockBitmap(
      order: element.order, start: element.start, bytes: bytes, firstBit: 0,
      bitCount: Int(min(UInt64(bitCount &- 1), last)) &+ 1)
  }
}
