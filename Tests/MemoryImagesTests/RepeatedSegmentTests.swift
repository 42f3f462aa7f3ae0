import MemoryAccess
import MemoryImages
import Testing

/// Segments that lie inside others: /proc/vmcore has the kernel's text twice.
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
    // One byte beyond the end, and bytes that the other one does not store.
    #expect(
      throws: MemoryImageError.elfSegmentsOverlapInMemory(
        first: 0, second: 1, address: PhysicalAddress(0x1000 + 19_999))
    ) { try open([whole, .init(address: 0x1000 + 19_999, bytes: [memory[19_999], 1])]) }
    var tail = whole
    tail.memoryByteCount = 30_000
    #expect(
      throws: MemoryImageError.elfSegmentsOverlapInMemory(
        first: 0, second: 1, address: PhysicalAddress(0x1000 + 20_000))
    ) { try open([tail, .init(address: 0x1000 + 20_000, bytes: [0])]) }
  }
}
