import HandoverTestSupport
import MemoryAccess
import Platform
import SystemPackage
import Testing

@testable import MemoryImages

@Suite struct AnonymousMemoryTests {
  private let memoryRange = range(0x4000_0000, 0x10000)

  @Test func startsAsZerosAndKeepsWhatIsWritten() throws {
    let counter = CallWatcher()
    try counter.watch {
      let memory = try AnonymousMemory(memoryRange)
      #expect(memory.range == memoryRange && memory.byteCount == 0x10000)
      #expect(memory.bytes(in: memoryRange) == [UInt8](repeating: 0, count: 0x10000))
      memory.withWords(at: PhysicalAddress(0x4000_fff8), count: 1) {
        $0.publish(0x0807_0605_0403_0201, at: 0)
      }
      memory.withMutableBytes(in: range(0x4000_0001, 2)) { bytes in
        bytes.storeBytes(of: 0xbb, toByteOffset: 1, as: UInt8.self)
      }
      #expect(memory.bytes(in: range(0x4000_fff8, 8)) == [1, 2, 3, 4, 5, 6, 7, 8])
      #expect(memory.bytes(in: range(0x4000_0000, 4)) == [0, 0, 0xbb, 0])
      #expect(memory.bytes(in: range(0x4000_fff9, 8)) == nil)
      #expect(memory.bytes(in: range(.max, 1)) == nil)
      #expect(memory.contains(range(0x4000_0000, 0x10000)))
      #expect(!memory.contains(range(0x3fff_ffff, 1)))
      #expect(memory.storedRanges() == [memoryRange])
      // SAFETY: the memory is kept for as long as its map is used.
      let word = withExtendedLifetime(memory) {
        unsafe memory.unsafeDirectMap.withWords(at: PhysicalAddress(0x4000_fff8), count: 1) {
          $0.load(0)
        }
      }
      #expect(word == 0x0807_0605_0403_0201)
    }
    #expect(counter.isBalanced && counter[.mmap] == 1 && counter[.madvise] == 0)
  }

  @Test func servesAFramePool() throws {
    let memory = try AnonymousMemory(memoryRange, usesHugePages: true)
    var pool = FramePool(of: memoryRange, in: memory, geometry: .pages4KiB)
    var count = 0
    while pool.takeFrame() != nil { count += 1 }
    #expect(count == 16)
  }

  @Test func adviceMayFail() throws {
    let counter = CallWatcher()
    try counter.watch { _ = try AnonymousMemory(memoryRange, usesHugePages: true) }
    #expect(counter[.madvise] == 1 && counter.isBalanced)
    let failing = CallWatcher(failing: [.madvise: .invalidArgument])
    try failing.watch { _ = try AnonymousMemory(memoryRange, usesHugePages: true) }
    #expect(failing.isBalanced)
  }

  @Test func refusals() throws {
    CallWatcher(failing: [.mmap: .noMemory]).watch {
      #expect(throws: MemoryImageError.cannotAllocate(byteCount: 0x10000, .noMemory)) {
        try AnonymousMemory(memoryRange)
      }
    }
    for byteCount in [1 << 63, UInt64.max, UInt64(Int.max)] {
      #expect(throws: MemoryImageError.cannotAllocate(byteCount: byteCount, .noMemory)) {
        try AnonymousMemory(range(0, byteCount))
      }
    }
  }
}
