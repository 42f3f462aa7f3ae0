import HandoverDemo
import KHOCommands
import KexecHandover

// What the bytes of tortured objects are: words that follow from a seed and their place, so that a
// byte of another object, or of another state of the same one, is seen.

/// The word at `index` of what `seed` represents; 0 represents zeros.
@inline(__always)
func tortureWord(_ seed: UInt64, at index: UInt64) -> UInt64 {
  seed == 0 ? 0 : SplitMix.mixed(seed &+ index &* 0x9e37_79b9_7f4a_7c15)
}

/// Writes the first `byteCount` of `bytes`.
func fill(_ bytes: inout MutableRawSpan, byteCount: UInt64, seed: UInt64) {
  let byteCount = Int(byteCount)
  for offset in stride(from: 0, through: byteCount - 8, by: 8) {
    bytes.storeBytes(
      of: tortureWord(seed, at: UInt64(offset / 8)), toByteOffset: offset, as: UInt64.self)
  }
  let rest = byteCount & ~7
  for offset in rest..<byteCount {
    let word = tortureWord(seed, at: UInt64(rest / 8))
    bytes.storeBytes(
      of: UInt8(truncatingIfNeeded: word >> UInt64((offset - rest) * 8)), toByteOffset: offset,
      as: UInt8.self)
  }
}

/// Pages of an object, and which of its words they begin with.
struct TortureExtent {
  let range: PhysicalRange
  let firstWord: UInt64
}

/// What the pages of an object are.
struct TortureLayout {
  /// Every block that is an entry.
  var entries: [PhysicalBlock] = []
  /// Where the bytes are.
  var extents: [TortureExtent] = []
  /// Of an area: its chunks and blocks as a number.
  var digest: UInt64 = 0

  /// Of an area, reads the chunks; nil where they cannot be read.
  init?(of object: TortureObject, in memory: some PhysicalMemory, geometry: PageGeometry) {
    switch object.kind {
    case .block:
      let block = PhysicalBlock(address: object.address, order: object.order)
      guard block.isNaturallyAligned(in: geometry) else { return nil }
      entries = [block]
    case .run, .region, .value, .area:
      let frames = FrameRange(covering: object.range(in: geometry), in: geometry)
      entries = Array(NaturalBlocks(frames, in: geometry))
    }
    guard object.kind == .area else {
      extents = [TortureExtent(range: object.range(in: geometry), firstWord: 0)]
      return
    }
    guard addArea(object, in: memory, geometry: geometry) else { return nil }
  }

  private mutating func addArea(
    _ object: TortureObject, in memory: some PhysicalMemory, geometry: PageGeometry
  ) -> Bool {
    let range = object.range(in: geometry)
    do throws(RecordError) {
      let area = try memory.withBytes(in: range) { (bytes) throws(RecordError) in
        try VmallocArea(parsing: bytes, in: geometry)
      }
      guard let area, area.order == object.order,
        UInt64(area.pageCount) == object.count &<< UInt64(object.order.rawValue)
      else { return false }
      var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
      let wordCount = geometry.blockByteCount(object.order) / 8
      while let step = try blocks.next() {
        switch step {
        case .chunk(let address): add(PhysicalBlock(address: address, order: .zero))
        case .block(let block):
          extents.append(
            TortureExtent(
              range: block.range(in: geometry), firstWord: UInt64(extents.count) * wordCount))
          add(block)
        }
      }
      return true
    } catch {
      return false
    }
  }

  private mutating func add(_ block: PhysicalBlock) {
    entries.append(block)
    digest = SplitMix.mixed(digest ^ block.address.rawValue)
  }
}

extension TortureObject {
  /// The first byte that is not what it should be; nil where all are.
  func firstWrongByte(
    in memory: some PhysicalMemory, _ layout: TortureLayout, geometry: PageGeometry
  ) -> PhysicalAddress? {
    for extent in layout.extents {
      if let wrong = firstWrongByte(in: memory, extent, geometry: geometry) { return wrong }
    }
    return nil
  }

  private func firstWrongByte(
    in memory: some PhysicalMemory, _ extent: TortureExtent, geometry: PageGeometry
  ) -> PhysicalAddress? {
    // Behind the last byte of a region, up to the end of its page, there are zeros.
    let pages = FrameRange(covering: extent.range, in: geometry).range(in: geometry)
    let offset = memory.withBytes(in: pages) { bytes in
      let byteCount = Int(extent.range.byteCount)
      let end = byteCount & ~7
      for offset in stride(from: 0, to: end, by: 8) {
        let index = extent.firstWord &+ UInt64(offset / 8)
        let wanted = kind == .value ? seed : tortureWord(seed, at: index)
        if bytes.word(atByte: offset) != wanted { return offset }
      }
      let last = tortureWord(seed, at: extent.firstWord &+ UInt64(end / 8))
      for offset in end..<byteCount {
        let wanted = UInt8(truncatingIfNeeded: last >> UInt64((offset - end) * 8))
        if bytes.byte(at: offset) != wanted { return offset }
      }
      for offset in byteCount..<bytes.byteCount where bytes.byte(at: offset) != 0 {
        return offset
      }
      return -1
    }
    guard let offset else { return extent.range.start }
    return offset < 0 ? nil : extent.range.start.advanced(byBytes: UInt64(offset))
  }

  /// How many words, from the first on, are those of `new`; nil where not all that follow are this
  /// object's own: words were rewritten in another order than they were.
  func rewrittenWordCount(
    with new: UInt64, in memory: some PhysicalMemory, _ layout: TortureLayout
  ) -> UInt64? {
    var count: UInt64 = 0
    var isOld = false
    for extent in layout.extents {
      let isRight = memory.withBytes(in: extent.range) { bytes in
        for offset in stride(from: 0, to: bytes.byteCount & ~7, by: 8) {
          let index = extent.firstWord &+ UInt64(offset / 8)
          let word = bytes.word(atByte: offset)
          if !isOld {
            if word == tortureWord(new, at: index) {
              count &+= 1
              continue
            }
            isOld = true
          }
          guard word == tortureWord(seed, at: index) else { return false }
        }
        return true
      }
      guard isRight == true else { return nil }
    }
    return count
  }

  /// Writes the words of `new`, one by one, over the object's own.
  func rewrite(with new: UInt64, in memory: inout PreservedMemory, _ layout: TortureLayout) {
    for extent in layout.extents {
      memory.withWords(of: extent.range) { words in
        for index in 0..<words.count {
          words.publish(tortureWord(new, at: extent.firstWord &+ UInt64(index)), at: index)
        }
      }
    }
  }
}
