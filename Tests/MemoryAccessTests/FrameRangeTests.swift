import HandoverTestSupport
import MemoryAccess
import Testing

/// Whole frames within ranges of bytes.
@Suite(.namesCombination)
struct FrameRangeTests {
  private static let page = PageGeometry(shift: 4)

  @Test(
    "small ranges, against a look at every frame", arguments: [0, 1 << 40, 0 &- 64] as [UInt64])
  func small(offset: UInt64) throws {
    try withEvery("start", in: 0..<64 as Range<UInt64>) { start in
      try withEvery("byteCount", in: 0...(64 - start)) { byteCount in
        let frames = FrameRange(
          within: PhysicalRange(start: PhysicalAddress(offset + start), byteCount: byteCount),
          in: Self.page)
        let whole = (0..<4 as Range<UInt64>).filter {
          $0 * 16 >= start && $0 * 16 + 16 <= start + byteCount
        }.map { $0 + offset / 16 }
        try #require(frames.frameCount == UInt64(whole.count))
        if let first = whole.first {
          try #require(frames.start.rawValue == first)
          try #require(frames.end.rawValue == first + UInt64(whole.count))
        }
        for number in 0..<4 as Range<UInt64> {
          let frame = FrameNumber(number + offset / 16)
          try #require(frames.contains(frame) == whole.contains(frame.rawValue))
        }
      }
    }
  }

  @Test("the longest ranges")
  func longest() {
    let upper = PhysicalRange(start: PhysicalAddress(1), byteCount: .max)
    #expect(
      FrameRange(within: upper, in: Self.page)
        == FrameRange(start: FrameNumber(1), frameCount: 1 << 60 - 1))
    let almostAll = PhysicalRange(start: .zero, byteCount: .max)
    #expect(
      FrameRange(within: almostAll, in: Self.page)
        == FrameRange(start: FrameNumber(0), frameCount: 1 << 60 - 1))
  }

  @Test("frames and addresses", arguments: [4, 12, 16, 20])
  func frames(shift: Int) {
    let page = PageGeometry(shift: shift)
    for number in [0, 1, 77, UInt64.max >> UInt64(shift)] {
      let frame = FrameNumber(number)
      let address = frame.address(in: page)
      #expect(address.rawValue == number << UInt64(shift))
      #expect(FrameNumber(containing: address, in: page) == frame)
      let lastByte = address.advanced(byBytes: UInt64(page.pageByteCount - 1))
      #expect(FrameNumber(containing: lastByte, in: page) == frame)
    }
    #expect(FrameNumber(1) < FrameNumber(2))
  }

  @Test("an empty range of frames holds none")
  func empty() {
    let frames = FrameRange(start: FrameNumber(7), frameCount: 0)
    #expect(frames.end == frames.start)
    for number in 0..<20 as Range<UInt64> { #expect(!frames.contains(FrameNumber(number))) }
    let last = FrameRange(start: FrameNumber(.max - 1), frameCount: 1)
    #expect(last.contains(FrameNumber(.max - 1)))
    #expect(!last.contains(FrameNumber(.max)))
  }
}
