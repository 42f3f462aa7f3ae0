/// Operations on many words at once, in which each bit is independent of the others.
///
/// The stores below are as wide as the machine likes, and in no order. A reader may meanwhile
/// see part of a word changed; what may not be torn, a pointer for one, goes through
/// ``MemoryWords/publish(_:at:)``.
extension MemoryWords {
  /// Sets every bit of the words in `range`, or clears it.
  ///
  /// - Precondition: `range` is in `0..<count`.
  /// - Complexity: as filling memory.
  @inlinable
  public func fill(_ range: Range<Int>, setting isSet: Bool) {
    require(that: range.lowerBound >= 0 && range.upperBound <= count, "words outside what was lent")
    // SAFETY: inside the words that `init` was promised; a bit pattern of bytes is one of words.
    unsafe (base + range.lowerBound &* 8).initializeMemory(
      as: UInt8.self, repeating: isSet ? 0xff : 0, count: range.count &* 8)
  }

  /// Copies `copied` words from index `source` on to index `target` on; both runs may overlap.
  ///
  /// - Precondition: both runs are in `0..<count`.
  /// - Complexity: as copying memory.
  @inlinable
  public func copy(_ copied: Int, from source: Int, to target: Int) {
    require(
      that: copied >= 0 && source >= 0 && target >= 0 && copied <= count
        && source <= count &- copied
        && target <= count &- copied, "words outside what was lent")
    // SAFETY: both runs are inside the words that `init` was promised; bytes are copied as such.
    unsafe (base + target &* 8).copyMemory(from: base + source &* 8, byteCount: copied &* 8)
  }

  /// Sets or clears a run of bits: whole words as one run, the words at its ends by themselves.
  ///
  /// Bit i is bit i mod 64 of word i / 64.
  ///
  /// - Precondition: `bits` is in the words that were lent.
  /// - Complexity: as filling memory.
  @inlinable
  public func change(bits: Range<Int>, setting isSet: Bool) {
    if bits.isEmpty { return }
    let head = UInt64.max &<< UInt64(bits.lowerBound & 63)
    let tail = ~(UInt64.max &<< UInt64(bits.upperBound & 63))
    let first = bits.lowerBound &>> 6
    let end = bits.upperBound &>> 6
    if first == end { return change(head & tail, at: first, setting: isSet) }
    var whole = first
    if head != .max {
      change(head, at: first, setting: isSet)
      whole &+= 1
    }
    fill(whole..<end, setting: isSet)
    if tail != 0 { change(tail, at: end, setting: isSet) }
  }

  @inlinable
  func change(_ mask: UInt64, at index: Int, setting isSet: Bool) {
    let old = load(index)
    publish(isSet ? old | mask : old & ~mask, at: index)
  }

  /// The first word at or after `start` that is not all ones, or not all zeros; `count` if all are.
  ///
  /// Sixteen words a step: on memory that is all free or all taken, the compare and the branch of each
  /// word cost three times as much as reading it.
  ///
  /// - Precondition: `start` is in `0...count`.
  @inlinable
  @inline(__always)
  public func firstIndex(from start: Int, notAll isSet: Bool) -> Int {
    require(that: start >= 0 && start <= count, "words outside what was lent")
    let wanted: UInt64 = isSet ? .max : 0
    var index = start
    while index &+ 16 <= count {
      // SAFETY: sixteen words from `index` on were just found inside those that `init` was promised.
      let first = unsafe (base + index &* 8).loadUnaligned(as: SIMD8<UInt64>.self)
      let second = unsafe (base + index &* 8 + 64).loadUnaligned(as: SIMD8<UInt64>.self)
      let all = isSet ? first & second : first | second
      let half = isSet ? all.lowHalf & all.highHalf : all.lowHalf | all.highHalf
      let quarter = isSet ? half.lowHalf & half.highHalf : half.lowHalf | half.highHalf
      if (isSet ? quarter.x & quarter.y : quarter.x | quarter.y) != wanted { break }
      index &+= 16
    }
    while index < count, load(index) == wanted { index &+= 1 }
    return index
  }
}
