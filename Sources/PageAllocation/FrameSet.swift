public import MemoryAccess

/// A plain set of frames, a bit for each, changed and asked run by run.
@frozen
@usableFromInline
struct FrameSet: Sendable {
  @usableFromInline
  let firstWord: UInt64
  /// The frames that can be members; bit 0 is the first.
  @usableFromInline
  let frames: FrameRange

  @inlinable
  init(firstWord: UInt64, frames: FrameRange) {
    self.firstWord = firstWord
    self.frames = frames
  }

  @inlinable
  static func wordCount(for frames: FrameRange) -> UInt64 { (frames.frameCount &+ 63) &>> 6 }

  /// The first frame of `range` that is, or is not, a member; nil if none exists.
  ///
  /// - Precondition: the set covers `range`.
  @inlinable
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func first<Memory>(
    in range: FrameRange, isMember: Bool, in map: FrameMap<Memory>
  ) -> FrameNumber? {
    var bit = range.start.rawValue &- frames.start.rawValue
    let end = bit &+ range.frameCount
    while bit < end {
      let word = map.load(firstWord &+ bit &>> 6)
      let bits = (isMember ? word : ~word) &>> (bit & 63)
      if bits != 0 {
        bit &+= UInt64(bits.trailingZeroBitCount)
        return bit < end ? FrameNumber(frames.start.rawValue &+ bit) : nil
      }
      bit = (bit | 63) &+ 1
    }
    return nil
  }

  /// Makes the frames of `range` members, or not, and counts those that were not so before.
  ///
  /// - Precondition: the set covers `range`.
  @inlinable
  #if hasFeature(Embedded)
    @inline(never)
  #endif
  func set<Memory>(
    _ range: FrameRange, isMember: Bool, in map: FrameMap<Memory>
  ) -> UInt64 {
    var changed: UInt64 = 0
    var bit = range.start.rawValue &- frames.start.rawValue
    let end = bit &+ range.frameCount
    while bit < end {
      if bit & 63 == 0, end &- bit >= 64 {
        // Whole words, which nearly always change from all of one to all of the other.
        let wordCount = (end &- bit) &>> 6
        let same = map.countOfBits(
          from: firstWord &+ bit &>> 6, wordCount: wordCount, settingAll: isMember)
        changed &+= wordCount &* 64 &- same
        bit &+= wordCount &* 64
        continue
      }
      let next = min((bit | 63) &+ 1, end)
      let mask = (UInt64.max &>> (64 &- (next &- bit))) &<< (bit & 63)
      let word = firstWord &+ bit &>> 6
      let old = map.load(word)
      let new = isMember ? old | mask : old & ~mask
      map.store(new, at: word)
      changed &+= UInt64((old ^ new).nonzeroBitCount)
      bit = next
    }
    return changed
  }
}
