public import MemoryAccess

extension PreservedPagesSurvey {
  /// Reads the radix tree that `reader` names.
  ///
  /// - Complexity: O(nodes · page size), at most O(memory); heap for each node.
  public init<Memory: PhysicalMemory>(_ reader: RadixTreeReader<Memory>) {
    // SAFETY: the survey has copies of what it found, and not the map.
    let survey = unsafe reader.memory.withDirectMap { map in
      Self(reading: RadixTreeReader(map, geometry: reader.geometry, root: reader.root))
    }
    self = survey ?? Self(reading: reader)
  }

  private init<Memory: PhysicalMemory>(reading reader: RadixTreeReader<Memory>) {
    var surveyor = RadixSurveyor(geometry: reader.geometry, contains: reader.memory.contains)
    if reader.geometry.dropsOrderZeroBit { surveyor.report(.orderZeroMarkDropped) }
    reader.walk(&surveyor)
    surveyor.survey.sort()
    self = surveyor.survey
  }
}

/// Gathers a survey from a walk over a tree, and keeps it from looking at a node twice.
///
/// Not generic, though it asks memory: for a type of a new parameter, the runtime searches the conformances of the
/// whole process, which takes longer than reading a small tree.
struct RadixSurveyor: RadixTreeVisitor {
  let geometry: RadixGeometry
  /// Whether bytes are in memory.
  let contains: (PhysicalRange) -> Bool
  var survey: PreservedPagesSurvey
  private var reached = AddressSet()

  init(geometry: RadixGeometry, contains: @escaping (PhysicalRange) -> Bool) {
    self.geometry = geometry
    self.contains = contains
    survey = PreservedPagesSurvey(geometry: geometry.page, levelCount: geometry.levelCount)
  }

  mutating func enter(_ node: RadixNode, from place: PointerPlace) -> Bool {
    guard reached.insert(node.address.rawValue) else {
      report(.nodeReachedTwice(in: place, pointer: node.address))
      return false
    }
    survey.nodes.append(node.address)
    survey.nodeCountByLevel[node.level] &+= 1
    survey.metadataByteCount &+= UInt64(geometry.page.pageByteCount)
    return true
  }

  mutating func report(_ finding: PreservedPagesFinding) {
    survey.findings.append(finding)
  }

  mutating func visitLeaf(_ leaf: RadixNode, bits: RawSpan) {
    let countBefore = survey.entryCount
    let first = leaf.firstKey.rawValue
    var hasStrayKey = false
    if geometry.dropsOrderZeroBit {
      hasStrayKey = visitUnmarkedLeaf(leaf, bits: bits)
    } else if first != 0 {
      append(leaf, bits, from: first, count: geometry.leafKeyCount)
    } else {
      // The first leaf: 0 and 1 are not keys, then come all the orders that fit in one leaf.
      if let word = bits.word(atByte: 0) {
        for key in 0...1 as ClosedRange<UInt64> where word &>> key & 1 != 0 {
          hasStrayKey = true
          report(.keyNamesNoBlock(leaf: leaf.address, key: RadixKey(rawValue: key)))
        }
      }
      for bit in 1..<UInt64(geometry.leafBitCount) {
        append(leaf, bits, from: 1 &<< bit, count: 1 &<< bit)
      }
    }
    if survey.entryCount == countBefore, !hasStrayKey { report(.nodeEmpty(leaf)) }
  }

  /// Notes the bits of `leaf` for `count` keys from `first` on, which are of one order.
  private mutating func append(
    _ leaf: RadixNode, _ bits: RawSpan, from first: UInt64, count: UInt64
  ) {
    guard let block = RadixKey(rawValue: first).decoded(in: geometry.page) else { return }
    append(leaf, bits, from: first, count: count, as: block)
  }

  private mutating func append(
    _ leaf: RadixNode, _ bits: RawSpan, from first: UInt64, count: UInt64, as block: PhysicalBlock
  ) {
    let firstBit = Int(truncatingIfNeeded: first &- leaf.firstKey.rawValue)
    let bitCount = Int(truncatingIfNeeded: count)
    let setCount = bits.countOfBits(from: firstBit, count: bitCount)
    guard setCount > 0 else { return }
    survey.countByOrder[Int(block.order.rawValue)] &+= setCount
    var bitmap = BlockBitmap(
      order: block.order, start: block.address, bytes: geometry.page.page(at: leaf.address),
      firstBit: firstBit, bitCount: bitCount)
    // After the count, which has read the leaf from its start on, as memory is read fastest.
    bitmap.markedBits = bitmap.markedBits(of: bits) ?? 0..<0
    survey.bitmaps.append(bitmap)
  }

  /// A leaf of a tree in which keys of order 0 have lost their mark: the bit above the others
  /// is either an order's mark or part of an address, and only memory shows which.
  ///
  /// - Returns: whether the leaf holds keys that cannot be distinguished.
  private mutating func visitUnmarkedLeaf(_ leaf: RadixNode, bits: RawSpan) -> Bool {
    let first = leaf.firstKey.rawValue
    let unmarked = PhysicalBlock(
      address: PhysicalAddress(first &<< UInt64(geometry.page.shift)), order: .zero)
    guard first != 0 else {
      // Any order that fits here would be a block larger than all memory.
      append(leaf, bits, from: 0, count: geometry.leafKeyCount, as: unmarked)
      return false
    }
    guard let key = bits.firstSetBit().map({ RadixKey(rawValue: first &+ UInt64($0)) }),
      let marked = key.decoded(in: geometry.page)
    else { return false }
    let address = key.rawValue &<< UInt64(geometry.page.shift)
    let page = geometry.page.page(at: PhysicalAddress(address))
    switch (contains(page), contains(marked.range(in: geometry.page))) {
    case (true, true):
      report(.keyAmbiguous(leaf: leaf.address, key: key))
      return true
    case (true, false):
      append(leaf, bits, from: first, count: geometry.leafKeyCount, as: unmarked)
    case (false, _):
      append(leaf, bits, from: first, count: geometry.leafKeyCount)
    }
    return false
  }
}

extension RawSpan {
  /// The number of the first bit that is set; nil when none is.
  fileprivate func firstSetBit() -> Int? {
    var offset = 0
    while let word = word(atByte: offset) {
      if word != 0 { return offset &* 8 &+ word.trailingZeroBitCount }
      offset &+= 8
    }
    return nil
  }
}
