import HandoverTestSupport
import MemoryAccess
import MemoryImages
import Testing

/// Memory as words and as bytes, and where it ends.
@Suite(.namesCombination)
struct MemoryWordsTests {
  private static let start: UInt64 = 0x10_0000
  private static let byteCount: UInt64 = 2 * 4096

  private static func memory() throws -> AnonymousMemory {
    try AnonymousMemory(PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount))
  }

  private static func range(_ offset: Int64, _ byteCount: UInt64) -> PhysicalRange {
    PhysicalRange(
      start: PhysicalAddress(UInt64(bitPattern: Int64(start) + offset)), byteCount: byteCount)
  }

  @Test("known words are those that were lent, of a direct map and of other memory")
  func knownWords() throws {
    let memory = try Self.memory()
    // SAFETY: `memory` is kept to the end of the function.
    let map = unsafe memory.unsafeDirectMap
    let all = PhysicalAddress(Self.start)
    let count = Int(Self.byteCount / 8)
    map.withWords(at: all, count: count) { words in
      for index in 0..<count { words.store(UInt64(index) << 32 | 7, at: index) }
    }
    func check(_ memory: some WritablePhysicalMemory) throws {
      for first in [0, 1, 511, 512, count - 3] {
        let address = all.advanced(byBytes: UInt64(first) * 8)
        // SAFETY: `withWords` has lent all of them above.
        let read = unsafe memory.withKnownWords(at: address, count: 3) { words in
          (0..<3).map { words.load($0) }
        }
        try #require(read == (first..<first + 3).map { UInt64($0) << 32 | 7 })
      }
    }
    try check(map)
    try check(memory)
    try check(ClaimingMemory(memory, claiming: nil))
    withExtendedLifetime(memory) {}
  }

  @Test("words are loaded, published and cleared, and bytes show them")
  func words() throws {
    let memory = try Self.memory()
    memory.withWords(at: PhysicalAddress(Self.start + 64), count: 3) { words in
      #expect(words.count == 3)
      for index in 0..<3 { #expect(words.load(index) == 0) }
      words.publish(0x0102_0304_0506_0708, at: 0)
      words.publish(.max, at: 2)
      #expect(words.load(0) == 0x0102_0304_0506_0708)
      #expect(words.load(1) == 0)
    }
    let bytes = memory.withBytes(in: Self.range(64, 9)) { bytes in
      (0..<9).map { bytes.byte(at: $0) }
    }
    #expect(bytes == [8, 7, 6, 5, 4, 3, 2, 1, 0])
    memory.withWords(at: PhysicalAddress(Self.start + 72), count: 2) { $0.clear() }
    #expect(memory.word(at: Self.start + 80) == 0)
    #expect(memory.word(at: Self.start + 64) == 0x0102_0304_0506_0708, "cleared no more than lent")
  }

  @Test("words of a span, at any offset")
  func spanWords() throws {
    let memory = try Self.memory()
    for index in 0..<4 as Range<UInt64> {
      memory.setWord(0x1111_1111_1111_1111 * (index + 1) + index, at: Self.start + index * 8)
    }
    for byteCount in 0...20 as ClosedRange<UInt64> {
      let count = Int(byteCount)
      let isRead: Void? = memory.withBytes(in: Self.range(0, byteCount)) { bytes in
        for offset in [-1, .min, .max] {
          #expect(bytes.word(atByte: offset) == nil)
          #expect(bytes.uint32(atByte: offset) == nil)
        }
        for offset in 0...24 {
          var word: UInt64?
          var half: UInt32?
          if offset + 8 <= count {
            word = (0..<8).reduce(0 as UInt64) {
              $0 | UInt64(bytes.byte(at: offset + $1)) << UInt64(8 * $1)
            }
          }
          if offset + 4 <= count {
            half = (0..<4).reduce(0 as UInt32) {
              $0 | UInt32(bytes.byte(at: offset + $1)) << UInt32(8 * $1)
            }
          }
          #expect(bytes.word(atByte: offset) == word)
          #expect(bytes.uint32(atByte: offset) == half)
        }
      }
      #expect(isRead != nil)
    }
  }

  @Test("what exists, and what does not")
  func bounds() throws {
    let memory = try Self.memory()
    #expect(memory.range == Self.range(0, Self.byteCount))
    #expect(memory.byteCount == Self.byteCount)
    let cases: [(PhysicalRange, Bool)] = [
      (Self.range(0, Self.byteCount), true), (Self.range(0, 1), true),
      (Self.range(Int64(Self.byteCount) - 1, 1), true),
      (Self.range(Int64(Self.byteCount), 0), true), (Self.range(-1, 0), true),
      (PhysicalRange(start: PhysicalAddress(.max), byteCount: 0), true),
      (Self.range(-1, 1), false), (Self.range(-1, 2), false),
      (Self.range(0, Self.byteCount + 1), false), (Self.range(Int64(Self.byteCount), 1), false),
      (PhysicalRange(start: .zero, byteCount: .max), false),
      (PhysicalRange(start: PhysicalAddress(.max), byteCount: 1), false),
      (PhysicalRange(start: PhysicalAddress(1), byteCount: .max), false),
    ]
    for (range, exists) in cases {
      #expect(memory.contains(range) == exists, "\(range)")
      let count = memory.withBytes(in: range) { $0.byteCount }
      #expect(count == (exists ? Int(range.byteCount) : nil), "\(range)")
      if exists {
        let mutableCount = memory.withMutableBytes(in: range) { $0.byteCount }
        #expect(mutableCount == Int(range.byteCount))
      }
    }
  }

  @Test("what is stored from an address on")
  func storedRanges() throws {
    let memory = try Self.memory()
    let end = Self.start + Self.byteCount
    func stored(_ address: UInt64) -> PhysicalRange? {
      memory.storedRange(atOrAfter: PhysicalAddress(address))
    }
    #expect(stored(0) == memory.range)
    #expect(stored(Self.start - 1) == memory.range)
    #expect(stored(Self.start) == memory.range)
    #expect(stored(Self.start + 5) == Self.range(5, Self.byteCount - 5))
    #expect(stored(end - 1) == Self.range(Int64(Self.byteCount) - 1, 1))
    #expect(stored(end) == nil)
    #expect(stored(.max) == nil)
  }

  @Test("memory that ends at the top of the address space")
  func topOfTheAddressSpace() throws {
    let range = PhysicalRange(start: PhysicalAddress(0 &- 4096), byteCount: 4096)
    let memory = try AnonymousMemory(range)
    let lastByte = PhysicalRange(start: PhysicalAddress(.max), byteCount: 1)
    #expect(memory.contains(lastByte))
    memory.setWord(77, at: 0 &- 8)
    #expect(memory.word(at: 0 &- 8) == 77)
    #expect(memory.withBytes(in: lastByte) { $0.byteCount } == 1)
    #expect(memory.storedRange(atOrAfter: PhysicalAddress(.max)) == lastByte)
    var pool = FramePool(of: range, in: memory, geometry: PageGeometry(shift: 10))
    for _ in 0..<4 { #expect(pool.takeFrame() != nil) }
    #expect(pool.takeFrame() == nil)
  }

  @Test("an error of the body comes out")
  func errors() throws {
    struct Stop: Error {}
    let memory = try Self.memory()
    let range = Self.range(0, 8)
    #expect(throws: Stop.self) { try memory.withBytes(in: range) { _ in throw Stop() } }
    #expect(throws: Stop.self) {
      try memory.withWords(at: range.start, count: 1) { _ in throw Stop() }
    }
    #expect(throws: Stop.self) { try memory.withMutableBytes(in: range) { _ in throw Stop() } }
  }

  @Test("words outside the memory are a mistake of the program")
  func wordsOutside() async {
    await #expect(processExitsWith: .failure) {
      let memory = try Self.memory()
      memory.withWords(at: PhysicalAddress(Self.start + Self.byteCount - 8), count: 2) { _ in }
    }
    await #expect(processExitsWith: .failure) {
      let memory = try Self.memory()
      memory.withWords(at: PhysicalAddress(Self.start + 4), count: 1) { _ in }
    }
    await #expect(processExitsWith: .failure) {
      let memory = try Self.memory()
      memory.withWords(at: PhysicalAddress(Self.start), count: 1) { _ = $0.load(1) }
    }
  }

  @Test("a number of words whose length wraps around is a mistake too")
  func wordCountsThatWrap() async {
    await #expect(processExitsWith: .failure) {
      let memory = try Self.memory()
      memory.withWords(at: PhysicalAddress(Self.start), count: 1 << 61) { _ in }
    }
    await #expect(processExitsWith: .failure) {
      let memory = try Self.memory()
      memory.withWords(at: PhysicalAddress(Self.start), count: .min) { _ in }
    }
  }
}

extension RawSpan {
  fileprivate func byte(at offset: Int) -> UInt8 {
    // SAFETY: any byte is a UInt8; the offset is checked.
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}
