import MemoryAccess
import MemoryImages
import Testing

/// One broken rule each.
@Suite struct ELFErrorTests {
  private func expect(
    _ error: MemoryImageError, from bytes: [UInt8],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = try TemporaryFile(bytes)
    #expect(throws: error, sourceLocation: sourceLocation) {
      try ELFCoreImage(opening: file.path)
    }
  }

  private let sound: [UInt8] = {
    var builder = ELFBuilder()
    builder.segments = [.init(address: 0x1000, bytes: [1, 2, 3, 4])]
    return builder.built()
  }()

  private func changed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes = sound
    change(&bytes)
    return bytes
  }

  @Test func header() throws {
    try expect(.emptyFile, from: [])
    try expect(.elfMagicMissing, from: [0x7f])
    try expect(.elfMagicMissing, from: changed { $0[3] = 0 })
    try expect(.elfClassUnsupported(1), from: changed { $0[4] = 1 })
    try expect(.elfByteOrderUnsupported(2), from: changed { $0[5] = 2 })
    try expect(.elfHeaderTruncated(fileByteCount: 63), from: Array(sound.prefix(63)))
    try expect(.elfHeaderTruncated(fileByteCount: 4), from: Array(sound.prefix(4)))
    try expect(.elfHeaderTruncated(fileByteCount: 5), from: Array(sound.prefix(5)))
  }

  @Test func programHeaders() throws {
    try expect(
      .elfProgramHeaderSizeUnsupported(byteCount: 32),
      from: changed { $0.replace(at: 54, with: 32 as UInt16) })
    try expect(
      .elfProgramHeadersBeyondEndOfFile(fileOffset: 64, count: 1, fileByteCount: 119),
      from: Array(sound.prefix(119)))
    try expect(
      .elfProgramHeadersBeyondEndOfFile(fileOffset: .max, count: 1, fileByteCount: 124),
      from: changed { $0.replace(at: 32, with: UInt64.max) })
    try expect(
      .elfProgramHeadersBeyondEndOfFile(fileOffset: 64, count: 0xfffe, fileByteCount: 124),
      from: changed { $0.replace(at: 56, with: 0xfffe as UInt16) })
    try expect(.elfNoLoadSegments, from: changed { $0.replace(at: 56, with: 0 as UInt16) })
    try expect(.elfNoLoadSegments, from: changed { $0.replace(at: 64, with: 2 as UInt32) })
  }

  @Test func manyProgramHeaders() throws {
    try expect(
      .elfSectionHeaderBeyondEndOfFile(fileOffset: 0, fileByteCount: 124),
      from: changed { $0.replace(at: 56, with: 0xffff as UInt16) })
    try expect(
      .elfSectionHeaderBeyondEndOfFile(fileOffset: 61, fileByteCount: 124),
      from: changed {
        $0.replace(at: 56, with: 0xffff as UInt16)
        $0.replace(at: 40, with: 61 as UInt64)
      })
    var builder = ELFBuilder()
    builder.usesSectionHeader = true
    builder.segments = [.init(address: 0, bytes: [1])]
    var bytes = builder.built()
    let file = try TemporaryFile(bytes)
    #expect(try ELFCoreImage(opening: file.path).segments.count == 1)
    bytes.replace(at: 120 + 44, with: UInt32.max)
    try expect(
      .elfProgramHeadersBeyondEndOfFile(fileOffset: 64, count: .max, fileByteCount: 185),
      from: bytes)
  }

  @Test func segments() throws {
    try expect(
      .elfSegmentBeyondEndOfFile(
        segment: 0, fileOffset: .max, storedByteCount: 4, fileByteCount: 124),
      from: changed { $0.replace(at: 72, with: UInt64.max) })
    try expect(
      .elfSegmentStoresMoreThanItHolds(segment: 0, storedByteCount: 4, memoryByteCount: 3),
      from: changed { $0.replace(at: 104, with: 3 as UInt64) })
    try expect(
      .elfSegmentBeyondAddressSpace(
        segment: 0, address: PhysicalAddress(0x1000), memoryByteCount: 0 &- 0xfff),
      from: changed { $0.replace(at: 104, with: 0 &- 0xfff as UInt64) })
  }

  @Test func overlaps() throws {
    var builder = ELFBuilder()
    builder.segments = [
      .init(address: 0x3000, bytes: [1]),
      .init(address: 0x1002, bytes: [1]),
      .init(address: 0x1000, bytes: [1, 2, 9]),
    ]
    try expect(
      .elfSegmentsOverlapInMemory(first: 1, second: 2, address: PhysicalAddress(0x1002)),
      from: builder.built())
    builder.segments[1].address = 0x1003
    builder.segments[1].place = (0, 0)
    builder.segments[1].memoryByteCount = 1
    builder.segments[2].place = (builder.offsets[0], 1)
    try expect(
      .elfSegmentsOverlapInFile(first: 0, second: 2, fileOffset: builder.offsets[0]),
      from: builder.built())
  }
}
