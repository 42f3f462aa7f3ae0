public import MemoryModel

extension ConcurrentRadixTree {
  /// Marks the blocks that `keys` name, which may come in any order, while other threads change the
  /// tree.
  ///
  /// The keys are sorted in place; where there are several for each word, those of a word are marked by
  /// one atomic change. Where threads fill the same memory, each change takes a line of the cache from
  /// another core: one by one over 16 GiB, two threads are no faster than one, and in batches 1.7 times as
  /// fast.
  ///
  /// The batch is not one change: other threads see some of its keys earlier than others.
  ///
  /// - Parameter frames: a source that no other thread uses meanwhile.
  /// - Returns: how many keys are new; of threads that insert a key at once, one counts it.
  /// - Throws: as ``RadixTree/insertAll(_:from:)``.
  /// - Complexity: O(keys · log(span of the keys)), an atomic change a word, and a frame for each node
  ///   that is missing.
  @inlinable
  @discardableResult
  public mutating func insertAll<Frames: FrameSource & ~Copyable>(
    _ keys: inout MutableSpan<RadixKey>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    let all = 0..<keys.count
    let (isAscending, bitCount) = try geometry.survey(keys.span)
    return isAscending
      ? try mark(keys.span, all, from: &frames)
      : try insertBatch(&keys, all, bitCount, from: &frames)
  }

  /// Marks the keys at `range`, which differ in their low `top` bits at most, sorted first where that
  /// saves more than it costs.
  @inlinable
  mutating func insertBatch<Frames: FrameSource & ~Copyable>(
    _ keys: inout MutableSpan<RadixKey>, _ range: Range<Int>, _ top: Int, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    // Few keys are not worth sorting.
    guard range.count > 64 else { return try mark(keys.span, range, from: &frames) }
    // Four keys for each word, or more: carried through a window, they are worth one change.
    let isDense = range.count >= 1 &<< max(top &- 4, 0)
    let together = isDense ? RadixKeyWindow.bitCount : geometry.batchBitCount
    guard top > together else {
      return isDense
        ? try gather(keys.span, range, from: &frames) : try mark(keys.span, range, from: &frames)
    }
    let shift = max(top &- 6, together)
    // Batches of several threads go through the same memory. Each starts where its first key lies, so
    // that they do not go side by side: over 1 TiB, two threads then take 0.87 of the time.
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
    let window = RadixKeyWindow(keys, range)
    let leafWordCount = min(RadixKeyWindow.wordCount, geometry.page.pageWordCount)
    var newCount = 0
    var start = 0
    while start < RadixKeyWindow.wordCount {
      // Where the leaf's first word stands, once one of its keys is met.
      var leaf: PhysicalAddress = .zero
      for offset in 0..<leafWordCount {
        let mask = window.words[start &+ offset]
        if mask == 0 { continue }
        if leaf == .zero {
          let bit = (start &+ offset) &* 64 &+ mask.trailingZeroBitCount
          let key = RadixKey(rawValue: window.first &+ UInt64(truncatingIfNeeded: bit))
          let word = try madeWord(for: key, from: &frames)
          leaf = PhysicalAddress(word.rawValue &- UInt64(truncatingIfNeeded: offset &* 8))
        }
        newCount &+= setBits(
          mask, at: PhysicalAddress(leaf.rawValue &+ UInt64(truncatingIfNeeded: offset &* 8)))
      }
      start &+= leafWordCount
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
