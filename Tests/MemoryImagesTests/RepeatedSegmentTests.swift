import MemoryAccess
import MemoryImages
import Testing

/// Segments that are inside others: /proc/vmcore has the kernel's text twice.
@Suite struct RepeatedSegmentTests {
  private let memory = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 3) }

  private func open(_ segments: [ELFBuilder.Segment]) throws -> (TemporaryFile, ELFCoreImage) {
    var builder = ELFBuilder()
    builder.segments = segments
    let file = try TemporaryFile(builder.built())
    return (file, try ELFCoreImage(opening: file.path))
  }

  @Test func equalBytesAreLeftOut() throws {
    let whole = ELFBuilder.Segment(address: 0x1000, bytes: memory)
    for (first, count) in [(0, 20_000), (0, 5), (4096, 8192), (19_999, 1), (1, 19_999)] {
      let part = ELFBuilder.Segment(
        address: 0x1000 + UInt64(first), bytes: Array(memory[first..<first + count]))
      for segments in [[whole, part], [part, whole], [part, whole, part]] {
        let (file, image) = try open(segments)
        withExtendedLifetime(file) {
          #expect(image.segments.count == 1)
          #expect(image.segments.first?.range == range(0x1000, 20_000))
          #expect(image.byteCount == 20_000)
          #expect(image.bytes(in: range(0x1000, 20_000)) == memory)
        }
      }
    }
    // Where a part stores nothing, it says nothing.
    let empty = ELFBuilder.Segment(address: 0x1010, memoryByteCount: 100, place: (0, 0))
    let (file, image) = try open([whole, empty])
    withExtendedLifetime(file) { #expect(image.segments.count == 1) }
  }

  @Test func otherBytesAreAnError() throws {
    let whole = ELFBuilder.Segment(address: 0x1000, bytes: memory)
    for changed in [0, 4095, 8191] {
      var bytes = Array(memory[4096..<12_288])
      bytes[changed] ^= 1
      #expect(
        throws: MemoryImageError.elfSegmentsOverlapInMemory(
          first: 0, second: 1, address: PhysicalAddress(0x2000))
      ) { try open([whole, .init(address: 0x2000, bytes: bytes)]) }
    }
    // An overlap of one byte, which differs.
    #expect(
      throws: MemoryImageError.elfSegmentsOverlapInMemory(
        first: 0, second: 1, address: PhysicalAddress(0x1000 + 19_999))
    ) { try open([whole, .init(address: 0x1000 + 19_999, bytes: [memory[19_999] ^ 1, 1])]) }
  }

  /// Equal bytes contradict nothing, however two segments overlap; what one stores and another leaves out
  /// is stored.
  @Test func overlapsThatAgree() throws {
    let whole = ELFBuilder.Segment(address: 0x1000, bytes: memory)
    let (file, image) = try open([
      whole, .init(address: 0x1000 + 19_999, bytes: [memory[19_999], 7]),
    ])
    withExtendedLifetime(file) {
      #expect(image.bytes(in: range(0x1000, 20_001)) == memory + [7])
      #expect(image.byteCount == 20_001)
    }
    var tail = whole
    tail.memoryByteCount = 30_000
    let (other, second) = try open([tail, .init(address: 0x1000 + 25_000, bytes: [9])])
    withExtendedLifetime(other) {
      #expect(second.bytes(in: range(0x1000, 20_000)) == memory)
      #expect(second.bytes(in: range(0x1000 + 25_000, 1)) == [9])
      #expect(second.bytes(in: range(0x1000 + 20_000, 1)) == nil)
      #expect(second.contains(range(0x1000, 30_000)))
      #expect(!second.contains(range(0x1000, 30_001)))
      #expect(second.leftOutZeros(from: PhysicalAddress(0x1000 + 20_000)) == 5_000)
      #expect(second.leftOutZeros(from: PhysicalAddress(0x1000 + 25_000)) == 0)
      #expect(second.leftOutZeros(from: PhysicalAddress(0x1000 + 25_001)) == 4_999)
    }
  }

  /// Program headers over the same file bytes, as QEMU writes them by page tables, against a model that
  /// knows each byte by its place in the file.
  @Test func aliases() throws {
    for seed in 0..<400 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var builder = ELFBuilder()
      let count = Int.random(in: 2...9, using: &random)
      var parts: [(start: UInt64, stored: UInt64, memory: UInt64)] = []
      for _ in 0..<count {
        let start = UInt64.random(in: 0..<60, using: &random)
        let stored = UInt64.random(in: 0...40, using: &random)
        parts.append((start, stored, stored + UInt64.random(in: 0...20, using: &random)))
      }
      let content = random.bytes(100)
      let offset = UInt64(64 + 56 * (count + 1))
      builder.segments = parts.map {
        .init(
          address: 0x5000 + $0.start, memoryByteCount: $0.memory,
          place: ($0.stored == 0 ? 99_999 : offset + $0.start, $0.stored))
      }
      // Where the bytes are: a segment that is not loaded.
      builder.segments.append(.init(address: 0, bytes: content, type: 0))
      let file = try TemporaryFile(builder.built())
      guard parts.contains(where: { $0.memory > 0 }) else { continue }
      let image = try ELFCoreImage(opening: file.path)
      for address in 0..<130 as Range<UInt64> {
        let stored = parts.contains { address >= $0.start && address < $0.start + $0.stored }
        let exists = parts.contains { address >= $0.start && address < $0.start + $0.memory }
        let read = image.bytes(in: range(0x5000 + address, 1))
        #expect(read == (stored ? [content[Int(address)]] : nil), "seed \(seed), \(address)")
        #expect(image.contains(range(0x5000 + address, 1)) == exists, "seed \(seed), \(address)")
        #expect(
          (image.leftOutZeros(from: PhysicalAddress(0x5000 + address)) > 0) == (exists && !stored),
          "seed \(seed), \(address)")
      }
    }
  }
}
