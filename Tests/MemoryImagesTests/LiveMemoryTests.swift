import Foundation
import MemoryAccess
import MemoryImages
import SystemPackage
import Testing

@testable import MemoryImages

/// A kcore: memory in segments with and without physical addresses, some of it twice.
@Suite struct LiveMemoryTests {
  private func open(_ builder: ELFBuilder) throws -> LiveMemory {
    let root = FileManager.default.temporaryDirectory.appending(path: "live-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(
      at: root.appending(path: "proc"), withIntermediateDirectories: true)
    try Data(builder.built()).write(to: root.appending(path: "proc/kcore"))
    // The open descriptor keeps the file.
    return try LiveMemory(root: FilePath(root.path))
  }

  @Test func segmentsOfAKernel() throws {
    var random = SeededGenerator(seed: 4)
    let low = random.bytes(0x9000)
    let high = random.bytes(0x20_0000)
    var builder = ELFBuilder()
    builder.notes = ELFBuilder.note("CORE", "x") + ELFBuilder.note("VMCOREINFO", "PAGESIZE=4096\n")
    builder.segments = [
      // Text, vmalloc and modules come first, the memory afterwards.
      .init(address: 0x12_0000, bytes: Array(high[0x2_0000..<0x5_0000])),
      .init(address: .max, bytes: random.bytes(100)),
      .init(address: 0x1000, bytes: low),
      .init(address: 0x10_0000, bytes: high),
      // It begins inside and ends behind.
      .init(address: 0x2F_F000, bytes: Array(high[0x1F_F000...]) + random.bytes(0x1000)),
      .init(address: .max, memoryByteCount: 1 << 40, place: (0, 0)),
    ]
    let behind = Array(builder.segments[4].bytes.suffix(0x1000))
    let memory = try open(builder)
    #expect(memory.door == .kcore && memory.machine == .x86_64)
    #expect(memory.vmcoreInfoPageByteCount == 4096)
    #expect(memory.byteCount == 0x9000 + 0x20_1000)
    #expect(memory.contains(range(0x1000, 0x9000)) && !memory.contains(range(0x1000, 0x9001)))
    #expect(memory.contains(range(0x10_0000, 0x20_1000)))
    #expect(!memory.contains(range(0xfff, 2)) && !memory.contains(range(.max, 1)))
    #expect(memory.contains(range(.max, 0)))
    #expect(memory.bytes(in: range(0x1000, 0x9000)) == low)
    #expect(memory.bytes(in: range(0x10_0000, 0x20_1000)) == high + behind)
    #expect(memory.bytes(in: range(0x10_0000, 0x20_1001)) == nil)
    for _ in 0..<2000 {
      let start = Int.random(in: 0..<high.count, using: &random)
      let count = Int.random(in: 0...min(5000, high.count - start), using: &random)
      let wanted = range(0x10_0000 + UInt64(start), UInt64(count))
      #expect(memory.bytes(in: wanted) == Array(high[start..<start + count]))
    }
    let found = memory.storedRanges()
    #expect(
      found == [range(0x1000, 0x9000), range(0x10_0000, 0x20_0000), range(0x30_0000, 0x1000)])
    #expect(MemoryImage.live(memory).existingMemory?.ranges.count == 2)
  }

  /// What the segments promise and the file does not hold: no bytes.
  @Test func bytesThatAreNotThere() throws {
    var builder = ELFBuilder()
    builder.segments = [
      .init(address: 0, memoryByteCount: 0x1000_0000, place: (0x1000, 0x1000_0000)),
      .init(address: 0x8000_0000, bytes: [1, 2, 3], memoryByteCount: 100),
    ]
    let memory = try open(builder)
    #expect(memory.bytes(in: range(0x2000, 8)) == nil)
    #expect(memory.bytes(in: range(0, 0x1000_0000)) == nil)
    #expect(memory.bytes(in: range(0x8000_0000, 3)) == [1, 2, 3])
    #expect(memory.bytes(in: range(0x8000_0000, 4)) == nil)
    #expect(memory.bytes(in: range(0x8000_0032, 4)) == nil)
    #expect(memory.contains(range(0x8000_0000, 100)))
  }

  @Test func reasonsAreOneSentence() {
    let kcore: [LiveMemoryError.KcoreReason] = [
      .missing, .refused(.notPermitted), .refused(.permissionDenied), .refused(.ioError),
      .malformed, .withoutPhysicalAddresses,
    ]
    let device: [LiveMemoryError.DeviceMemoryReason] = [
      .missing, .refused(.notPermitted), .refused(.ioError), .mapRefused(.ioError), .mapHidden,
      .strict,
    ]
    var texts: Set<String> = []
    for (first, second) in zip(kcore, device) {
      let text = LiveMemoryError(kcore: first, deviceMemory: second).description
      #expect(text.hasSuffix(".") && !text.contains("\n") && text.contains("/dev/mem"))
      texts.insert(text)
    }
    #expect(texts.count == 6)
  }
}
