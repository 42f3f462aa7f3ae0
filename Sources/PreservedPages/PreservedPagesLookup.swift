public import MemoryAccess

/// The bitmaps of one order, in a lookup.
@usableFromInline
struct OrderInUse {
  @usableFromInline
  let order: PageOrder
  @usableFromInline
  let range: Range<Int>
  /// The bitmap that answered last.
  @usableFromInline
  var latest: Int
  /// The word of bits that was read last.
  @usableFromInline
  var word: (address: PhysicalAddress, value: UInt64)?
}

/// Answers whether something is preserved, from the bits that a survey found, in any order.
///
/// Remembers which bitmaps answered last, so that questions about neighbours cost least. The bits
/// are read from memory each time.
public struct PreservedPagesLookup<Memory: PhysicalMemory> {
  @usableFromInline
  let memory: Memory
  @usableFromInline
  let geometry: PageGeometry
  @usableFromInline
  let bitmaps: [BlockBitmap]
  @usableFromInline
  var orders: [OrderInUse] = []
  /// How many stretches of entries ``firstGap(in:)`` has looked at: a measure of the work done.
  public private(set) var stepCount: UInt64 = 0

  /// What `survey` found in `memory`.
  ///
  /// - Complexity: O(orders in use · log bitmaps).
  public init(_ survey: PreservedPagesSurvey, in memory: Memory) {
    self.memory = memory
    geometry = survey.geometry
    bitmaps = survey.bitmaps
    var start = 0
    while start < bitmaps.count {
      let order = bitmaps[start].order
      let end = partition(start..<bitmaps.count) { bitmaps[$0].order > order }
      orders.append(OrderInUse(order: order, range: start..<end, latest: start))
      start = end
    }
  }

  /// Whether `block`, of exactly that order, is an entry.
  ///
  /// - Complexity: O(orders in use + log bitmaps).
  @inlinable
  public mutating func contains(_ block: PhysicalBlock) -> Bool {
    guard let index = orders.firstIndex(where: { $0.order == block.order }),
      let place = place(of: block.address, order: index)
    else { return false }
    return start(of: place) == block.address && isSet(place, order: index)
  }

  /// The entry that holds `address`; if several overlap, the smallest. `nil` if no entry holds it.
  ///
  /// - Complexity: O(orders in use · log bitmaps).
  @inlinable
  public mutating func block(holding address: PhysicalAddress) -> PhysicalBlock? {
    for index in orders.indices {
      if let place = place(of: address, order: index), isSet(place, order: index) {
        return PhysicalBlock(address: start(of: place), order: orders[index].order)
      }
    }
    return nil
  }

  /// The first page of `range` that is not an entry, not even in part; nil when all of them are.
  ///
  /// The pages at the edges of the range count whole; an empty range has none.
  ///
  /// - Complexity: O(entries in the range · orders in use · log bitmaps), far less where they follow
  ///   each other.
  public mutating func firstGap(in range: PhysicalRange) -> PhysicalAddress? {
    guard let last = range.last else { return nil }
    var address = range.start.rawValue & ~(UInt64(geometry.pageByteCount) &- 1)
    while true {
      stepCount &+= 1
      guard let covered = lastCovered(from: PhysicalAddress(address)) else {
        return PhysicalAddress(address)
      }
      if covered >= last { return nil }
      address = covered.rawValue &+ 1
    }
  }

  /// Whether entries cover all pages of `range`.
  public mutating func isPreserved(_ range: PhysicalRange) -> Bool { firstGap(in: range) == nil }

  // MARK: One bit

  @usableFromInline
  struct Place {
    @usableFromInline
    let bitmap: Int
    /// Counted from the bitmap's first bit.
    @usableFromInline
    let bit: Int

    @inlinable
    init(bitmap: Int, bit: Int) {
      self.bitmap = bitmap
      self.bit = bit
    }
  }

  /// The first byte of the block whose bit is at `place`.
  @inlinable
  func start(of place: Place) -> PhysicalAddress {
    let bitmap = bitmaps[place.bitmap]
    let size = geometry.blockByteCount(bitmap.order)
    return PhysicalAddress(bitmap.start.rawValue &+ UInt64(place.bit) &* size)
  }

  /// The bit for the block of an order that holds `address`; `nil` if no bitmap has one.
  @inlinable
  mutating func place(of address: PhysicalAddress, order index: Int) -> Place? {
    if let place = place(of: address, bitmap: orders[index].latest) { return place }
    let range = orders[index].range
    let after = partition(range) { bitmaps[$0].start > address }
    guard after > range.lowerBound, let place = place(of: address, bitmap: after &- 1) else {
      return nil
    }
    orders[index].latest = after &- 1
    return place
  }

  @inlinable
  func place(of address: PhysicalAddress, bitmap index: Int) -> Place? {
    let bitmap = bitmaps[index]
    guard address >= bitmap.start else { return nil }
    let shift = UInt64(geometry.shift &+ Int(bitmap.order.rawValue))
    let bit = (address.rawValue &- bitmap.start.rawValue) &>> shift
    guard bit < UInt64(bitmap.bitCount) else { return nil }
    return Place(bitmap: index, bit: Int(bit))
  }

  @inlinable
  mutating func isSet(_ place: Place, order index: Int) -> Bool {
    let bit = bitmaps[place.bitmap].firstBit &+ place.bit
    return wordOfBits(place.bitmap, bit &>> 6, order: index) &>> UInt64(bit & 63) & 1 != 0
  }

  /// Word `index` of the bytes of a bitmap; 0 where it cannot be read any more.
  @inlinable
  mutating func wordOfBits(_ bitmap: Int, _ wordIndex: Int, order index: Int) -> UInt64 {
    let address = PhysicalAddress(
      bitmaps[bitmap].bytes.start.rawValue &+ UInt64(wordIndex) &* 8)
    if let word = orders[index].word, word.address == address { return word.value }
    let range = PhysicalRange(start: address, byteCount: 8)
    let value = (memory.withBytes(in: range) { $0.word(atByte: 0) } ?? nil) ?? 0
    orders[index].word = (address, value)
    return value
  }

  // MARK: Many bits

  /// The first block of `run` that is not an entry of that order; nil when all of them are.
  ///
  /// - Complexity: O(orders in use + words of the run + bitmaps in it · log bitmaps).
  @inlinable
  public mutating func firstMissing(of run: BlockRun) -> PhysicalBlock? {
    guard let index = orders.firstIndex(where: { $0.order == run.order }) else {
      return run.firstBlock
    }
    let size = geometry.blockByteCount(run.order)
    var done: UInt64 = 0
    while done < run.blockCount {
      let address = PhysicalAddress(run.address.rawValue &+ done &* size)
      guard let place = place(of: address, order: index), start(of: place) == address,
        isSet(place, order: index)
      else { return PhysicalBlock(address: address, order: run.order) }
      done &+= UInt64(truncatingIfNeeded: lengthOfRun(from: place, order: index))
    }
    return nil
  }

  /// The last byte of the blocks that follow each other in the bitmap that covers `address`; nil
  /// when no entry does.
  private mutating func lastCovered(from address: PhysicalAddress) -> PhysicalAddress? {
    var last: PhysicalAddress?
    for index in orders.indices {
      guard let place = place(of: address, order: index), isSet(place, order: index) else {
        continue
      }
      let blockCount = UInt64(lengthOfRun(from: place, order: index))
      let size = geometry.blockByteCount(orders[index].order)
      let end = PhysicalAddress(start(of: place).rawValue &+ (blockCount &* size &- 1))
      last = max(end, last ?? end)
    }
    return last
  }

  /// How many set bits follow each other from a set bit on, to the end of its word at most.
  ///
  /// A longer run is found word by word, by further calls.
  @inlinable
  mutating func lengthOfRun(from place: Place, order index: Int) -> Int {
    let bitmap = bitmaps[place.bitmap]
    let bit = bitmap.firstBit &+ place.bit
    let rest = wordOfBits(place.bitmap, bit &>> 6, order: index) &>> UInt64(bit & 63)
    return min((~rest).trailingZeroBitCount, bitmap.bitCount &- place.bit, 64 &- (bit & 63))
  }
}

extension PreservedPagesSurvey {
  /// Whether entries cover all pages of `range`.
  ///
  /// For one question; ``PreservedPagesLookup`` answers many.
  public func isPreserved<Memory: PhysicalMemory>(
    _ range: PhysicalRange, in memory: Memory
  ) -> Bool {
    var lookup = PreservedPagesLookup(self, in: memory)
    return lookup.isPreserved(range)
  }
}

/// The first of `range` for which `isBehind` holds; its end if none does.
///
/// - Precondition: it holds of everything after the first of which it holds.
@usableFromInline
func partition(_ range: Range<Int>, _ isBehind: (Int) -> Bool) -> Int {
  var low = range.lowerBound
  var high = range.upperBound
  while low < high {
    let middle = low &+ (high &- low) / 2
    if isBehind(middle) { high = middle } else { low = middle &+ 1 }
  }
  return low
}
