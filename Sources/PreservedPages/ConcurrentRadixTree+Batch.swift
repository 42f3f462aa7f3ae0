public import MemoryAccess

extension ConcurrentRadixTree {
  /// Marks the blocks that `keys` name, which may come in any order, while other threads change the
  /// tree.
  ///
  /// The keys are sorted in place; where they are dense enough, they are marked in order, those of a word by
  /// one atomic change. Where threads fill the same memory, each change takes a line of the cache from
  /// another core: one by one over 16 GiB, two threads are no faster than one, and in batches 1.8 times as
  /// fast.
  ///
  /// The batch is not one change: other threads see some of its keys earlier than others.
  ///
  /// - Parameter keys: the keys.
  /// - Parameter frames: a source that no other thread uses meanwhile.
  /// - Returns: how many keys are new; of threads that insert a key at once, one counts it.
  /// - Throws: as ``RadixTree/insert(contentsOf:from:)``.
  /// - Complexity: O(keys · log(span of the keys)), an atomic change a word, and a frame for each node
  ///   that is missing.
  @inlinable
  @discardableResult
  public mutating func insert<Frames: FrameSource & ~Copyable>(
    contentsOf keys: inout MutableSpan<RadixKey>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    let all = 0..<keys.count
    let (isAscending, bitCount) = try geometry.survey(keys.span)
    return isAscending
      ? try mark(keys.span, all, from: &frames)
      : try insertBatch(&keys, all, bitCount, from: &frames)
  }

  /// Marks the keys at `range`, which differ in their low `bitCount` bits at most, sorted first where that
  /// saves more than it costs.
  @inlinable
  mutating func insertBatch<Frames: FrameSource & ~Copyable>(
    _ keys: inout MutableSpan<RadixKey>, _ range: Range<Int>, _ bitCount: Int,
    from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    // Few keys are not worth sorting.
    guard range.count > 64 else { return try mark(keys.span, range, from: &frames) }
    // A key for each fourth word, or more: carried through a window, the words come in order, and where
    // there are several keys for one, they are one change.
    let isDense = range.count >= 1 &<< max(bitCount &- 8, 0)
    let together = isDense ? RadixKeyWindow.bitCount : geometry.batchBitCount
    guard bitCount > together else {
      return isDense
        ? try gather(keys.span, range, from: &frames) : try mark(keys.span, range, from: &frames)
    }
    let shift = max(bitCount &- 6, together)
    // Batches of several threads go through the same memory. Each starts where its first key is, so
    // that they do not go side by side: over 1 TiB, two threads then take three quarters of the
    // time.
    let start = MutableSpan<RadixKey>.digit(keys[range.lowerBound], shift)
    let classes = keys.partition(range, byBitsFrom: shift)
    var newCount = 0
    for step in 0..<64 {
      let (blocks, rest) = classes[(start &+ step) & 63]
      let left =
        shift > RadixKeyWindow.bitCount && !blocks.isEmpty
        ? keys.span.differingBitCount(blocks) : shift
      newCount &+= try insertBatch(&keys, blocks, left, from: &frames)
      newCount &+= try mark(keys.span, rest, from: &frames)
    }
    return newCount
  }

  /// Marks the keys at `range`, one after the other; neighbours in one word at once.
  @inlinable
  mutating func mark<Frames: FrameSource & ~Copyable>(
    _ keys: Span<RadixKey>, _ range: Range<Int>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    var newCount = 0
    var index = range.lowerBound
    while index < range.upperBound {
      let key = keys[index]
      var mask: UInt64 = 0
      repeat {
        mask |= 1 &<< keys[index].rawValue
        index &+= 1
      } while index < range.upperBound && keys[index].rawValue &>> 6 == key.rawValue &>> 6
      newCount &+= setBits(mask, at: try madeWord(for: key, from: &frames))
    }
    return newCount
  }

  /// Marks the keys at `range`, those of each word at once.
  ///
  /// - Precondition: the keys have all bits in common but those of a ``RadixKeyWindow``.
  @inlinable
  mutating func gather<Frames: FrameSource & ~Copyable>(
    _ keys: Span<RadixKey>, _ range: Range<Int>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    var window = RadixKeyWindow()
    window.fill(keys, range)
    // To subscript the arrays would copy them, for each of their words.
    let words = window.words.span
    let occupied = window.occupied.span
    let leafWordCount = geometry.page.pageWordCount
    var newCount = 0
    // Where the leaf of the last word ends, and where word 0 of the window would be beside it.
    var leafEnd = 0
    var base: UInt64 = 0
    for group in occupied.indices {
      var rest = occupied[group]
      while rest != 0 {
        let index = group &* 64 &+ rest.trailingZeroBitCount
        rest &= rest &- 1
        let mask = words[index]
        if index >= leafEnd {
          let bit = index &* 64 &+ mask.trailingZeroBitCount
          let key = RadixKey(rawValue: window.first &+ UInt64(truncatingIfNeeded: bit))
          base =
            try madeWord(for: key, from: &frames).rawValue
            &- UInt64(truncatingIfNeeded: index &* 8)
          leafEnd = (index / leafWordCount &+ 1) &* leafWordCount
        }
        newCount &+= setBits(
          mask, at: PhysicalAddress(base &+ UInt64(truncatingIfNeeded: index &* 8)))
      }
    }
    return newCount
  }

  /// Sets bits of the word at `word`.
  ///
  /// - Returns: how many were not set.
  @inlinable
  @inline(__always)
  func setBits(_ mask: UInt64, at word: PhysicalAddress) -> Int {
    let old = nodes.memory.withWords(at: word, count: 1) { $0.setBits(mask, at: 0) }
    return (mask & ~old).nonzeroBitCount
  }
}
