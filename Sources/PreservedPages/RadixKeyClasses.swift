/// Where keys are after ``Swift/MutableSpan/partition(_:byBitsFrom:)``: for each value of six bits
/// one run of whole blocks, and another of the few that filled none.
///
///     │ blocks of value 0 │ of value 1 │ … │ rest of 0 │ of 1 │ … │
@frozen
@usableFromInline
struct RadixKeyClasses {
  @usableFromInline
  let range: Range<Int>
  @usableFromInline
  var blockEnds = InlineArray<64, Int>(repeating: 0)
  @usableFromInline
  var restEnds = InlineArray<64, Int>(repeating: 0)

  @inlinable
  init(of range: Range<Int>) { self.range = range }

  @inlinable
  subscript(value: Int) -> (blocks: Range<Int>, rest: Range<Int>) {
    let first = value == 0
    return (
      (first ? range.lowerBound : blockEnds[value &- 1])..<blockEnds[value],
      (first ? blockEnds[63] : restEnds[value &- 1])..<restEnds[value]
    )
  }

  /// The keys of a block: two lines of the cache.
  @inlinable
  static var blockCount: Int { 16 }
}

// Sorted one by one, each key waits for the one whose place it takes: 20 ns a key for 512 values. Here
// keys are read in order and gathered by value, and whole blocks are carried to their places: 5 ns.
extension MutableSpan<RadixKey> {
  /// Brings keys together that have the same six bits from `shift` on, in place.
  ///
  /// - Complexity: O(keys): each is moved three times at most.
  @inlinable
  mutating func partition(_ range: Range<Int>, byBitsFrom shift: Int) -> RadixKeyClasses {
    let classes = gather(range, byBitsFrom: shift)
    var starts = InlineArray<64, Int>(repeating: range.lowerBound)
    for value in 1..<64 { starts[value] = classes.blockEnds[value &- 1] }
    for value in 0..<64 {
      while starts[value] < classes.blockEnds[value] {
        place(&starts, value, shift)
      }
    }
    return classes
  }

  /// Writes keys of the same value back by blocks, in the order in which they come up, and the rest
  /// behind them.
  @inlinable
  mutating func gather(_ range: Range<Int>, byBitsFrom shift: Int) -> RadixKeyClasses {
    let blockCount = RadixKeyClasses.blockCount
    var classes = RadixKeyClasses(of: range)
    var gathered = InlineArray<1024, RadixKey>(repeating: RadixKey(rawValue: 0))
    // Where the next key of each value goes.
    var places = InlineArray<64, Int>(repeating: 0)
    for value in 0..<64 { places[value] = value &* blockCount }
    var end = range.lowerBound
    for index in range {
      let key = self[index]
      let value = Self.digit(key, shift)
      // SAFETY: `value` is below 64, and the places of each value are in its 16 of 1024.
      unsafe gathered[unchecked: places[unchecked: value]] = key
      let place = unsafe places[unchecked: value] &+ 1
      unsafe places[unchecked: value] = place
      if place & (blockCount &- 1) == 0 {
        // No more keys were written back than were read.
        for offset in 0..<blockCount {
          self[end &+ offset] = gathered[place &- blockCount &+ offset]
        }
        end &+= blockCount
        places[value] = place &- blockCount
        classes.blockEnds[value] &+= blockCount
      }
    }
    var sum = range.lowerBound
    for value in 0..<64 {
      sum &+= classes.blockEnds[value]
      classes.blockEnds[value] = sum
      for place in value &* blockCount..<places[value] {
        self[end] = gathered[place]
        end &+= 1
      }
      classes.restEnds[value] = end
    }
    return classes
  }

  /// Carries the block at `starts[value]` to its place, the one found there to its own, and so on
  /// until one belongs where the first was.
  @inlinable
  mutating func place(_ starts: inout InlineArray<64, Int>, _ value: Int, _ shift: Int) {
    let blockCount = RadixKeyClasses.blockCount
    let hole = starts[value]
    starts[value] = hole &+ blockCount
    while true {
      let wanted = Self.digit(self[hole], shift)
      if wanted == value { return }
      let place = starts[wanted]
      starts[wanted] = place &+ blockCount
      for offset in 0..<blockCount {
        let key = self[place &+ offset]
        self[place &+ offset] = self[hole &+ offset]
        self[hole &+ offset] = key
      }
    }
  }

  @inlinable
  @inline(__always)
  static func digit(_ key: RadixKey, _ shift: Int) -> Int {
    Int(truncatingIfNeeded: (key.rawValue &>> UInt64(truncatingIfNeeded: shift)) & 63)
  }
}

extension Span<RadixKey> {
  /// How many of their low bits the keys at `range` differ in, at most.
  ///
  /// - Precondition: `range` is not empty.
  @inlinable
  func differingBitCount(_ range: Range<Int>) -> Int {
    let first = self[range.lowerBound].rawValue
    var differing: UInt64 = 0
    for index in range { differing |= self[index].rawValue ^ first }
    return 64 &- differing.leadingZeroBitCount
  }
}
