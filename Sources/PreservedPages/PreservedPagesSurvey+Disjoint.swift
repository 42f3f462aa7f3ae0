import MemoryAccess

/// Whether entries are in memory, and apart from each other and from the nodes, decided 64 bits at a time.
///
///     order 2   1        0        0        1            four bits of order 0 are one of order 2:
///     order 0   0 0 0 0  0 1 1 0  1 1 1 1  0 0 0 0      they are joined, and no column has two ones
///
/// A pass over the runs, by address, names what is wrong, and takes 100 ns and more for each. In a sound structure,
/// nothing has to be named: the cost here is that of reading the leaves, and does not depend on the number of runs.
extension PreservedPagesSurvey {
  /// Whether nothing is wrong among the entries. False if something is, and also if only the pass over all runs
  /// can decide.
  ///
  /// - Complexity: O(leaves · page size · orders in use + nodes + bitmaps · log bitmaps + runs in leaves across a hole
  ///   of memory).
  func isDisjoint<Memory: PhysicalMemory>(
    in memory: Memory, deviceTree: PhysicalRange?
  ) -> Bool {
    guard let extents = extents(in: memory) else { return false }
    if let deviceTree, hasEntryReachingOut(of: deviceTree, in: memory) { return false }
    return !holdsNode(extents, in: memory) && !hasOverlap(extents, in: memory)
  }

  /// The bytes from the first to the last block that a bitmap marks.
  private struct Extent {
    let start: PhysicalAddress
    let last: PhysicalAddress
  }

  /// The extent of each bitmap; nil where one is not in memory or reaches into the next.
  private func extents<Memory: PhysicalMemory>(in memory: Memory) -> [Extent]? {
    var extents: [Extent] = []
    for (index, bitmap) in bitmaps.enumerated() {
      guard let marks = markedBits(of: bitmap, in: memory) else { return nil }
      let size = geometry.blockByteCount(bitmap.order)
      let (offset, isTooFar) = UInt64(marks.upperBound).multipliedReportingOverflow(by: size)
      // The words of two bitmaps are compared, and so each has to begin where a word does.
      guard !isTooFar, bitmap.start.rawValue & (size &* 64 &- 1) == 0 else { return nil }
      let extent = Extent(
        start: PhysicalAddress(bitmap.start.rawValue &+ UInt64(marks.lowerBound) &* size),
        last: PhysicalAddress(bitmap.start.rawValue &+ offset &- 1))
      let byteCount = extent.last.rawValue &- extent.start.rawValue &+ 1
      guard byteCount > 0,
        let range = PhysicalRange(checkedStart: extent.start, byteCount: byteCount),
        memory.contains(range) || isInMemory(bitmaps[index...index], memory)
      else { return nil }
      if index > 0, bitmaps[index &- 1].order == bitmap.order {
        let before = bitmaps[index &- 1]
        let (span, isTooLong) = UInt64(before.bitCount).multipliedReportingOverflow(by: size)
        guard !isTooLong, bitmap.start.rawValue &- before.start.rawValue >= span else { return nil }
      }
      extents.append(extent)
    }
    return extents
  }

  /// From the first to the last bit of `bitmap` that is set; nil where none is.
  private func markedBits<Memory: PhysicalMemory>(
    of bitmap: BlockBitmap, in memory: Memory
  ) -> Range<UInt32>? {
    if !bitmap.markedBits.isEmpty { return bitmap.markedBits }
    let marked = memory.withBytes(in: bitmap.bytes) { bitmap.markedBits(of: $0) }
    memory.finishedReading(bitmap.bytes)
    return marked ?? nil
  }

  /// Whether each block that one bitmap marks is in memory. Asked where its extent is not: a hole of memory may be
  /// between the blocks.
  private func isInMemory<Memory: PhysicalMemory>(
    _ bitmap: ArraySlice<BlockBitmap>, _ memory: Memory
  ) -> Bool {
    let read: BitmapReading = { memory.copyWords(of: $0, to: &$1) }
    var cursor = BlockRunCursor(bitmap, geometry: geometry)
    while let run = cursor.next(read) {
      if !memory.contains(run.range(in: geometry)) { return false }
    }
    return true
  }

  /// Whether an entry shares bytes with the device tree and is not a part of it.
  private func hasEntryReachingOut<Memory: PhysicalMemory>(
    of deviceTree: PhysicalRange, in memory: Memory
  ) -> Bool {
    guard let last = deviceTree.last else { return false }
    var lookup = PreservedPagesLookup(self, in: memory)
    var isFound = false
    ordersInUse.forEach { order in
      for address in [deviceTree.start, last] {
        let block = PhysicalBlock(holding: address, order: order, in: geometry)
        // Only the first and the last of the blocks can reach out of the device tree.
        if !deviceTree.contains(block.range(in: geometry)), lookup.contains(block) {
          isFound = true
        }
      }
    }
    return isFound
  }

  /// Whether an entry holds a node.
  private func holdsNode<Memory: PhysicalMemory>(_ extents: [Extent], in memory: Memory) -> Bool {
    for (bitmap, extent) in zip(bitmaps, extents) {
      let first = nodes.partitioningIndex { $0 >= extent.start }
      guard first < nodes.count, nodes[first] <= extent.last else { continue }
      let shift = UInt64(geometry.shift &+ Int(bitmap.order.rawValue))
      let isHeld = memory.withBytes(in: bitmap.bytes) { bytes in
        var index = first
        while index < nodes.count, nodes[index] <= extent.last {
          let bit = (nodes[index].rawValue &- bitmap.start.rawValue) &>> shift
          if bitmap.marks(of: bytes, from: Int(bit)) & 1 != 0 { return true }
          index &+= 1
        }
        return false
      }
      memory.finishedReading(bitmap.bytes)
      if isHeld != false { return true }
    }
    return false
  }

  /// Whether entries of different orders share bytes.
  private func hasOverlap<Memory: PhysicalMemory>(_ extents: [Extent], in memory: Memory) -> Bool {
    // Where the bitmaps of each order begin; the last one's end.
    var starts: [Int] = []
    for index in bitmaps.indices
    where index == 0 || bitmaps[index].order != bitmaps[index &- 1].order {
      starts.append(index)
    }
    starts.append(bitmaps.count)
    var words: [UInt64] = []
    for upper in 1..<max(starts.count &- 1, 1) {
      for larger in starts[upper]..<starts[upper &+ 1] {
        var isCopied = false
        for lower in 0..<upper {
          let range = starts[lower]..<starts[lower &+ 1]
          var smaller = extents[range].partitioningIndex { $0.last >= extents[larger].start }
          while smaller < range.upperBound, extents[smaller].start <= extents[larger].last {
            // A copy, since some memory has the bytes of one page at a time.
            if !isCopied, !memory.copyWords(of: bitmaps[larger].bytes, to: &words) { return true }
            isCopied = true
            let start = max(extents[larger].start, extents[smaller].start)
            let last = min(extents[larger].last, extents[smaller].last)
            let isShared = memory.withBytes(in: bitmaps[smaller].bytes) { bytes in
              bitmaps[larger].sharesBlock(
                words, with: bitmaps[smaller], bytes, from: start, through: last, in: geometry)
            }
            memory.finishedReading(bitmaps[smaller].bytes)
            // Bytes that were there for the survey and are gone now: the pass over the runs decides.
            if isShared != false { return true }
            smaller &+= 1
          }
        }
      }
    }
    return false
  }
}

extension BlockBitmap {
  /// 64 bits, the first that of the block `index`; those behind the last block are 0.
  func marks(of bytes: RawSpan, from index: Int) -> UInt64 {
    guard index >= 0, index < bitCount else { return 0 }
    let bit = firstBit &+ index
    var word = (bytes.word(atByte: bit &>> 6 &* 8) ?? 0) &>> UInt64(bit & 63)
    if bit & 63 != 0 {
      let next = bytes.word(atByte: (bit &>> 6 &+ 1) &* 8) ?? 0
      word |= next &<< UInt64(64 &- bit & 63)
    }
    let left = bitCount &- index
    return left >= 64 ? word : word & (UInt64.max &>> UInt64(64 &- left))
  }

  /// Whether a block that this bitmap marks shares bytes with one that `other`, of a smaller order, marks,
  /// between two addresses.
  func sharesBlock(
    _ words: [UInt64], with other: BlockBitmap, _ otherBytes: RawSpan,
    from start: PhysicalAddress, through last: PhysicalAddress, in geometry: PageGeometry
  ) -> Bool {
    // SAFETY: words have no padding.
    let bytes = unsafe words.span.bytes
    let shift = UInt64(geometry.shift &+ Int(order.rawValue))
    let otherShift = UInt64(geometry.shift &+ Int(other.order.rawValue))
    let ratio = Int(shift &- otherShift)
    // Both bitmaps begin at a multiple of 64 blocks of theirs, or at 0.
    var index = Int((start.rawValue &- other.start.rawValue) &>> otherShift) & ~63
    let end = Int((last.rawValue &- other.start.rawValue) &>> otherShift)
    while index <= end {
      let word = other.marks(of: otherBytes, from: index)
      if word != 0 {
        let address = other.start.rawValue &+ UInt64(index) &<< otherShift
        // Where the 64 blocks begin before this bitmap does, those before it are not shared.
        let isBefore = address < self.start.rawValue
        let own = isBefore ? 0 : Int((address &- self.start.rawValue) &>> shift)
        let marks = marks(of: bytes, from: own)
        if isBefore {
          if marks != 0 { return true }
        } else if ratio >= 6 {
          if marks & 1 != 0 { return true }
        } else if marks & Self.joined(word, ratio) != 0 {
          return true
        }
      }
      index &+= 64
    }
    return false
  }

  /// A bit for each 2^`ratio` bits of `word`: whether one of them is set.
  static func joined(_ word: UInt64, _ ratio: Int) -> UInt64 {
    var word = word
    for _ in 0..<ratio {
      word = (word | word &>> 1) & 0x5555_5555_5555_5555
      word = (word | word &>> 1) & 0x3333_3333_3333_3333
      word = (word | word &>> 2) & 0x0f0f_0f0f_0f0f_0f0f
      word = (word | word &>> 4) & 0x00ff_00ff_00ff_00ff
      word = (word | word &>> 8) & 0x0000_ffff_0000_ffff
      word = (word | word &>> 16) & 0x0000_0000_ffff_ffff
    }
    return word
  }
}
