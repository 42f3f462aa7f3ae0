import MemoryAccess

/// Every edit comes with the number of regions it needs room for, so that the owner finds room
/// before anything changes.
extension RegionList {
  // MARK: Insert

  /// How many regions more the list holds at most while `region` is inserted.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func growth(inserting region: MemoryRegion) -> Int {
    var sum = 0
    var peak = 0
    var rest: PhysicalRange? = region.range
    while let gap = firstGap(in: &rest) {
      sum &+= growth(placing: region.with(gap))
      peak = max(peak, sum)
    }
    return peak
  }

  /// Adds `region` behind all others, as part of the last where they are alike.
  ///
  /// - Returns: whether it is behind all others and the list had room; otherwise nothing has changed.
  mutating func append(_ region: MemoryRegion) -> Bool {
    if count > 0 {
      let last = self[count &- 1]
      guard let end = last.range.last, end < region.range.start else { return false }
      if let both = last.joined(with: region) {
        self[count &- 1] = both
        return true
      }
    }
    if count == capacity { return false }
    insert(region, at: count)
    return true
  }

  /// Adds the bytes of `region` that the list does not hold; those it holds stay as they are.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  mutating func insert(_ region: MemoryRegion) {
    var rest: PhysicalRange? = region.range
    while let gap = firstGap(in: &rest) { place(region.with(gap)) }
  }

  /// The lowest bytes of `rest` that no region holds, which `rest` loses with all below them.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func firstGap(in rest: inout PhysicalRange?) -> PhysicalRange? {
    while let bounds = rest {
      let index = firstIndex(endingAtOrAfter: bounds.start)
      guard index < count, self[index].range.overlaps(bounds) else {
        rest = nil
        return bounds
      }
      let region = self[index].range
      rest = bounds.part(above: region)
      if let gap = bounds.part(below: region) { return gap }
    }
    return nil
  }

  /// The highest bytes of `rest` that no region holds, which `rest` loses with all above them.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func lastGap(in rest: inout PhysicalRange?) -> PhysicalRange? {
    while let bounds = rest, let last = bounds.last {
      // The last region that starts at or before `last`.
      var index = firstIndex(endingAtOrAfter: last)
      if index == count || self[index].range.start > last { index &-= 1 }
      guard index >= 0, self[index].range.overlaps(bounds) else {
        rest = nil
        return bounds
      }
      let region = self[index].range
      rest = bounds.part(below: region)
      if let gap = bounds.part(above: region) { return gap }
    }
    return nil
  }

  private func growth(placing region: MemoryRegion) -> Int {
    // Neighbours that were alike but for 2^64 bytes in all do not join after all; then the list holds
    // nothing else, and has room.
    let index = firstIndex(endingAtOrAfter: region.range.start)
    let joinsLower = index > 0 && self[index &- 1].joined(with: region) != nil
    let joinsUpper = index < count && region.joined(with: self[index]) != nil
    return 1 &- (joinsLower ? 1 : 0) &- (joinsUpper ? 1 : 0)
  }

  /// Puts a region where no region is, as part of its neighbours where they are alike.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private mutating func place(_ region: MemoryRegion) {
    let index = firstIndex(endingAtOrAfter: region.range.start)
    if index > 0, let lower = self[index &- 1].joined(with: region) {
      self[index &- 1] = lower
      mergeWithNext(index &- 1)
    } else if index < count, let upper = region.joined(with: self[index]) {
      self[index] = upper
    } else {
      insert(region, at: index)
    }
  }

  /// Makes the regions at `index` and after it one; returns whether they are alike and touch.
  @discardableResult
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private mutating func mergeWithNext(_ index: Int) -> Bool {
    guard index &+ 1 < count, let both = self[index].joined(with: self[index &+ 1]) else {
      return false
    }
    self[index] = both
    remove(at: index &+ 1)
    return true
  }

  // MARK: Cut

  /// How many regions more the list holds once `range` is cut out: 1 where that splits a region.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func growth(cutting range: PhysicalRange) -> Int {
    let index = firstIndex(endingAtOrAfter: range.start)
    guard index < count else { return 0 }
    let region = self[index].range
    return region.part(below: range) != nil && region.part(above: range) != nil ? 1 : 0
  }

  /// Takes the bytes of `range` out.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  mutating func cut(_ range: PhysicalRange) {
    guard let last = range.last else { return }
    var index = firstIndex(endingAtOrAfter: range.start)
    if index < count, let head = self[index].range.part(below: range) {
      let region = self[index]
      self[index] = region.with(head)
      index &+= 1
      if let tail = region.range.part(above: range) {
        insert(region.with(tail), at: index)
        mergeAround(index..<index)
        return
      }
    }
    var end = index
    while end < count, self[end].range.start <= last {
      let region = self[end]
      if let tail = region.range.part(above: range) {
        self[end] = region.with(tail)
        break
      }
      end &+= 1
    }
    if end > index { remove(at: index, count: end &- index) }
    mergeAround(index..<index)
  }

  // MARK: Change

  /// How many regions more the list holds at most while those in `range` change.
  func growth(changing range: PhysicalRange) -> Int {
    (splits(below: range) == nil ? 0 : 1) &+ (splits(above: range) == nil ? 0 : 1)
  }

  /// Changes node and flags of the regions in `range`.
  mutating func change(_ range: PhysicalRange, _ body: (MemoryRegion) -> MemoryRegion) {
    guard let last = range.last else { return }
    if let (index, inside) = splits(below: range), let head = self[index].range.part(below: range) {
      let region = self[index]
      self[index] = region.with(head)
      insert(region.with(inside), at: index &+ 1)
    }
    if let (index, inside) = splits(above: range), let tail = self[index].range.part(above: range) {
      let region = self[index]
      self[index] = region.with(inside)
      insert(region.with(tail), at: index &+ 1)
    }
    var index = firstIndex(endingAtOrAfter: range.start)
    let first = index
    while index < count, self[index].range.start <= last {
      self[index] = body(self[index])
      index &+= 1
    }
    mergeAround(first..<index)
  }

  /// Makes regions one that are alike now: those of `edited`, and two on either side.
  ///
  /// One neighbour may have become alike. The second one matters where a list held all 2^64 bytes:
  /// its two regions, alike but too long for one, can join once an edit has shortened either.
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  private mutating func mergeAround(_ edited: Range<Int>) {
    let lowest = max(edited.lowerBound &- 2, 0)
    var index = min(edited.upperBound &+ 1, count &- 1)
    while index > lowest {
      index &-= 1
      mergeWithNext(index)
    }
  }

  /// The region that the start of `range` divides, and its bytes from there on.
  private func splits(below range: PhysicalRange) -> (Int, PhysicalRange)? {
    let index = firstIndex(endingAtOrAfter: range.start)
    guard index < count, self[index].range.start < range.start, let last = self[index].range.last
    else { return nil }
    return (index, PhysicalRange(from: range.start, through: last))
  }

  /// The region that the end of `range` divides, and its bytes up to there.
  private func splits(above range: PhysicalRange) -> (Int, PhysicalRange)? {
    guard let last = range.last else { return nil }
    let index = firstIndex(endingAtOrAfter: last)
    guard index < count, self[index].range.contains(last), self[index].range.last != last
    else { return nil }
    return (index, PhysicalRange(from: self[index].range.start, through: last))
  }
}
