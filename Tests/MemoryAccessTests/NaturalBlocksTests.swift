import HandoverTestSupport
import MemoryAccess
import Testing

@Suite(.namesCombination)
struct NaturalBlocksTests {
  /// The slow way: at each frame the largest power of two that the frame is a multiple of and that
  /// ends inside the run and the node.
  private func model(
    _ start: UInt64, _ frameCount: UInt64, nodes: [UInt64] = [], largest: UInt64
  ) -> [(frame: UInt64, frameCount: UInt64)] {
    var blocks: [(UInt64, UInt64)] = []
    var frame = start
    let end = start + frameCount
    while frame < end {
      var size: UInt64 = 1
      while size < largest, frame % (2 * size) == 0, 2 * size <= end - frame,
        !nodes.contains(where: { frame < $0 && $0 < frame + 2 * size })
      {
        size *= 2
      }
      blocks.append((frame, size))
      frame += size
    }
    return blocks
  }

  private func expect(
    _ start: UInt64, _ frameCount: UInt64, nodes: [UInt64] = [], shift: Int = 12
  ) throws {
    let geometry = PageGeometry(shift: shift)
    let run = FrameRange(start: FrameNumber(start), frameCount: frameCount)
    let blocks = Array(
      NaturalBlocks(run, in: geometry, nodeStarts: nodes.map { FrameNumber($0) }))
    let expected = model(
      start, frameCount, nodes: nodes, largest: geometry.maximumOrder.frameCount)
    try #require(
      blocks.map(\.address.rawValue) == expected.map { $0.frame << UInt64(shift) })
    try #require(blocks.map(\.order.frameCount) == expected.map(\.frameCount))
    for block in blocks { try #require(block.isNaturallyAligned(in: geometry)) }
  }

  @Test func smallRuns() throws {
    for start in Array(0...70) + [1 << 20, (1 << 20) - 1, (1 << 20) + 3] as [UInt64] {
      for frameCount in 0...70 as ClosedRange<UInt64> {
        try withCombination("run", "\(start)+\(frameCount)") { try expect(start, frameCount) }
      }
    }
  }

  @Test func nodes() throws {
    for node in 0...40 as ClosedRange<UInt64> {
      for start in 0...20 as ClosedRange<UInt64> {
        for frameCount in [1, 5, 8, 16, 20, 33] as [UInt64] {
          try expect(start, frameCount, nodes: [node])
          try expect(start, frameCount, nodes: [node, 17, 3])
        }
      }
    }
  }

  @Test(arguments: [4, 12, 14, 16, 20])
  func bothEndsOfTheAddressSpace(shift: Int) throws {
    let frames: UInt64 = 1 << UInt64(64 - shift)
    for frameCount in [1, 2, 3, 64, 65, 1000] as [UInt64] {
      try expect(frames - frameCount, frameCount, shift: shift)
      try expect(0, frameCount, shift: shift)
    }
    // Everything: two blocks, since none has 2^64 bytes.
    try expect(0, frames, shift: shift)
    try expect(0, frames - 1, shift: shift)
    try expect(1, frames - 1, shift: shift)
    try expect(0, frames, nodes: [frames / 2, 1], shift: shift)
  }

  @Test func rangesOfBytes() {
    let page = PageGeometry.pages4KiB
    for start in [0, 1, 4095, 4096, 4097, 8191] as [UInt64] {
      for byteCount in [0, 1, 2, 4095, 4096, 4097, 9000] as [UInt64] {
        let range = PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
        let frames = FrameRange(covering: range, in: page)
        let numbers = Set((start..<start + byteCount).map { $0 / 4096 })
        #expect(frames.frameCount == UInt64(numbers.count))
        if let first = numbers.min() {
          #expect(frames.start.rawValue == first)
          #expect(frames.range(in: page).contains(range))
        }
      }
    }
    let top = PhysicalRange(start: PhysicalAddress(.max), byteCount: 1)
    #expect(FrameRange(covering: top, in: page).end.rawValue == 1 << 52)
    let block = PhysicalBlock(address: PhysicalAddress(1 << 20), order: PageOrder(3))
    #expect(FrameRange(block, in: page) == FrameRange(start: FrameNumber(256), frameCount: 8))
    #expect(FrameRange(block, in: page).range(in: page) == block.range(in: page))
  }
}
