public import MemoryModel

extension RadixTree {
  /// Marks the blocks that `keys` name, which may come in any order.
  ///
  /// The keys are sorted in place, just far enough that those of 256 neighbouring leaves stand
  /// together: a leaf that is made is still in the cache when its keys are marked, and one that is
  /// there is fetched once. Over 16 TiB, a key that comes alone waits for memory, and takes several
  /// times as long.
  ///
  /// - Returns: how many keys are new.
  /// - Throws: ``RadixTreeError/keyOutsideTree(_:)`` when a key names no block or is wider than the
  ///   tree: none is marked then. ``RadixTreeError/outOfFrames(level:)`` when the source runs dry:
  ///   some of the keys are marked then, as many as if they had been marked one by one. Marking all of
  ///   them again, once there are frames, marks the rest.
  /// - Complexity: O(keys · log(span of the keys)), and a frame for each node that is missing.
  @inlinable
  @discardableResult
  public mutating func insertAll<Frames: FrameSource & ~Copyable>(
    _ keys: inout MutableSpan<RadixKey>, from frames: inout Frames
  ) throws(RadixTreeError) -> Int {
    var smallest: UInt64 = .max
    var largest: UInt64 = 0
    for index in 0..<keys.count {
      let key = keys[index]
      guard geometry.holds(key) else { throw .keyOutsideTree(key) }
      smallest = min(smallest, key.rawValue)
      largest = max(largest, key.rawValue)
    }
    guard keys.count > 0 else { return 0 }
    let top = 64 &- (smallest ^ largest).leadingZeroBitCount
    var newCount = 0
    try insertBatch(&keys, 0..<keys.count, differingBelow: top, from: &frames, &newCount)
    return newCount
  }

  /// Marks the keys at `range`, which differ only in bits below `top`.
  @inlinable
  mutating func insertBatch<Frames: FrameSource & ~Copyable>(
    _ keys: inout MutableSpan<RadixKey>, _ range: Range<Int>, differingBelow top: Int,
    from frames: inout Frames, _ newCount: inout Int
  ) throws(RadixTreeError) {
    // 256 leaves are 1 MiB, as much as a core's own cache. Few keys are not worth sorting.
    guard top > geometry.leafBitCount &+ 8, range.count > 64 else {
      var sum = 0
      for index in range {
        let key = keys[index]
        sum &+= try insert(key, from: &frames) ? 1 : 0
      }
      newCount &+= sum
      return
    }
    let shift = max(top &- 6, geometry.leafBitCount &+ 8)
    let ends = keys.distribute(range, byBitsFrom: shift)
    var start = range.lowerBound
    for bucket in 0..<64 {
      let end = ends[bucket]
      if end > start {
        try insertBatch(
          &keys, start..<end, differingBelow: shift, from: &frames, &newCount)
      }
      start = end
    }
  }
}

extension MutableSpan<RadixKey> {
  /// Sorts the keys at `range` by the six bits from `shift` on, in place.
  ///
  /// - Returns: where the keys of each value end.
  /// - Complexity: O(keys): each is moved once.
  @inlinable
  mutating func distribute(
    _ range: Range<Int>, byBitsFrom shift: Int
  ) -> InlineArray<64, Int> {
    var starts = InlineArray<64, Int>(repeating: 0)
    for index in range { starts[Self.digit(self[index], shift)] &+= 1 }
    var sum = range.lowerBound
    var ends = InlineArray<64, Int>(repeating: 0)
    for value in 0..<64 {
      let count = starts[value]
      starts[value] = sum
      sum &+= count
      ends[value] = sum
    }
    for value in 0..<64 {
      while starts[value] < ends[value] {
        // Carries a key to its place, and the one found there to its own, until one belongs here.
        var key = self[starts[value]]
        var wanted = Self.digit(key, shift)
        while wanted != value {
          let place = starts[wanted]
          starts[wanted] = place &+ 1
          let other = self[place]
          self[place] = key
          key = other
          wanted = Self.digit(key, shift)
        }
        self[starts[value]] = key
        starts[value] &+= 1
      }
    }
    return ends
  }

  @inlinable
  @inline(__always)
  static func digit(_ key: RadixKey, _ shift: Int) -> Int {
    Int(truncatingIfNeeded: (key.rawValue &>> UInt64(shift)) & 63)
  }
}
