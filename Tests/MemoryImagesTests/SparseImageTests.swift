import HandoverTestSupport
import MemoryAccess
import Platform
import Testing

@testable import MemoryImages

/// Files far larger than memory: only what is stored may be visited.
@Suite(.serialized) struct SparseImageTests {
  private static let hundredGiB: UInt64 = 100 << 30
  private static let page = [UInt8](repeating: 0x5a, count: 4096)
  private static let offsets: [UInt64] =
    [1 << 20, 7 << 30, 7 << 30 + 1 << 20, 99 << 30]
    + [hundredGiB - 4096]

  /// A file system may keep more than the page that was written.
  private func check(_ image: some PhysicalMemory, visits wanted: [UInt64]) throws {
    let before = try residentFileByteCount()
    let found = image.storedRanges()
    #expect(found.count == wanted.count)
    for (range, start) in zip(found, wanted) {
      let page = PhysicalRange(start: PhysicalAddress(start), byteCount: 4096)
      #expect(range.contains(page) && range.byteCount <= 1 << 20)
      #expect(image.bytes(in: page) == Self.page)
      image.finishedReading(range)
    }
    #expect(try residentFileByteCount() - before < 64 << 20)
  }

  @Test func raw() throws {
    let file = try TemporaryFile(
      byteCount: Self.hundredGiB, pieces: Self.offsets.map { ($0, Self.page) })
    let counter = CallWatcher()
    try counter.watch {
      let image = try RawImage(opening: file.path, base: PhysicalAddress(0x1000))
      try check(image, visits: Self.offsets.map { $0 + 0x1000 })
      #expect(image.byteCount == Self.hundredGiB)
      // One more look for data finds none, unless the last page ends the file.
      #expect(counter[.seekData] <= 6 && counter[.seekHole] == 5)
      // Holes are zeros, and are read only when they are asked for.
      #expect(image.bytes(in: range(50 << 30, 8)) == [UInt8](repeating: 0, count: 8))
    }
  }

  @Test func elf() throws {
    var builder = ELFBuilder()
    let half = Self.hundredGiB / 2
    // In memory the second half of the file comes first.
    builder.segments = [
      .init(address: half, place: (1 << 20, half - 1 << 20)),
      .init(address: 0, place: (half, half)),
    ]
    let file = try TemporaryFile(
      byteCount: Self.hundredGiB,
      pieces: [(0, builder.built())] + Self.offsets.map { ($0, Self.page) })
    let counter = CallWatcher()
    try counter.watch {
      let image = try ELFCoreImage(opening: file.path)
      try check(
        image,
        visits: Self.offsets.map { $0 < half ? $0 - 1 << 20 + half : $0 - half }.sorted())
      #expect(counter[.seekData] <= 9 && counter[.seekHole] <= 8)
    }
  }

  /// Program headers in a hole are not read, however many the header gives.
  @Test func tableInAHole() throws {
    var builder = ELFBuilder()
    builder.usesSectionHeader = true
    builder.segments = [.init(address: 0x1000, place: (0, 64))]
    var bytes = builder.built()
    bytes.replace(at: 120 + 44, with: 1_000_000_000 as UInt32)
    let file = try TemporaryFile(byteCount: Self.hundredGiB, pieces: [(0, bytes)])
    let before = try residentFileByteCount()
    let counter = CallWatcher()
    try counter.watch {
      // What follows the only header in its page is the section header, read as a program header:
      // its first words are zeros, so it says nothing.
      let image = try ELFCoreImage(opening: file.path)
      #expect(image.segments.map(\.range) == [range(0x1000, 64)])
    }
    #expect(counter[.seekData] <= 2)
    #expect(try residentFileByteCount() - before < 64 << 20)
  }

  /// A table that begins in a hole, with one header, which is half in the next hole: the zeros
  /// there are its p_align.
  @Test func headerBetweenHoles() throws {
    let index: UInt64 = 900_000_000
    let page: UInt64 = 50 << 30
    var builder = ELFBuilder()
    builder.segments = [.init(address: 0x1000, place: (0, 64))]
    let sound = builder.built()
    var start = Array(sound.prefix(64)) + [UInt8](repeating: 0, count: 64)
    start.replace(at: 32, with: page + 4096 - 48 - index * 56)
    start.replace(at: 40, with: 64 as UInt64)
    start.replace(at: 56, with: 0xffff as UInt16)
    start.replace(at: 64 + 44, with: 1_000_000_000 as UInt32)
    let file = try TemporaryFile(
      byteCount: Self.hundredGiB, pieces: [(0, start), (page + 4096 - 48, Array(sound[64..<112]))])
    let before = try residentFileByteCount()
    let image = try ELFCoreImage(opening: file.path)
    #expect(image.segments.map(\.index) == [Int(index)])
    #expect(image.segments.map(\.range) == [range(0x1000, 64)])
    #expect(try residentFileByteCount() - before < 64 << 20)
  }

  /// The first segment is a hole that ends where the data of another one begins.
  @Test func segmentInAHoleBeforeData() throws {
    var builder = ELFBuilder()
    builder.segments = [
      .init(address: 0, place: (1 << 20, 1 << 20)), .init(address: 4 << 20, place: (2 << 20, 4096)),
    ]
    let file = try TemporaryFile(
      byteCount: 4 << 20, pieces: [(0, builder.built()), (2 << 20, Self.page)])
    let image = try ELFCoreImage(opening: file.path)
    #expect(image.storedRanges() == [range(4 << 20, 4096)])
  }

  @Test func oneExtentIsLookedForOnce() throws {
    var builder = ELFBuilder()
    builder.segments = (0..<500).map { .init(address: UInt64($0) * 64, bytes: [1, 2, 3]) }
    let file = try TemporaryFile(builder.built())
    let counter = CallWatcher()
    try counter.watch {
      let image = try ELFCoreImage(opening: file.path)
      #expect(image.storedRanges().count == 500)
    }
    #expect(counter[.seekData] <= 2)
  }

  /// A scan that says what it has read keeps no more than a chunk of a dense image.
  @Test(arguments: [0, 777] as [UInt64])
  func denseImageIsGivenBack(shift: UInt64) throws {
    let file = try TemporaryFile([UInt8](repeating: 0x77, count: 128 << 20))
    let image = try RawImage(opening: file.path, base: .zero)
    let before = try residentFileByteCount()
    var peak = 0
    let chunk: UInt64 = 1 << 20
    for start in stride(from: shift, to: image.byteCount - chunk, by: Int(chunk)) {
      let part = range(start, chunk)
      let sum = image.withBytes(in: part) { bytes in
        stride(from: 0, to: bytes.byteCount - 8, by: 4096)
          .reduce(0 as UInt64) { $0 &+ (bytes.word(atByte: $1) ?? 0) }
      }
      #expect(sum == 256 &* 0x7777_7777_7777_7777)
      image.finishedReading(part)
      peak = max(peak, try residentFileByteCount() - before)
    }
    #expect(peak < 64 << 20)
  }
}
