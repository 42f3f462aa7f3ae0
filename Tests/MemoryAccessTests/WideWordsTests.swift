import HandoverTestSupport
import MemoryAccess
import MemoryImages
import Testing

/// Many words at once, against one bit after the other.
@Suite(.namesCombination)
struct WideWordsTests {
  private static let wordCount = 40

  private func withMemory(_ body: (AnonymousMemory, PhysicalAddress) throws -> Void) throws {
    let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 4096)
    // Not at a multiple of a vector's size.
    try body(AnonymousMemory(range), PhysicalAddress(1 << 20 + 24))
  }

  @Test("runs of bits change, and nothing beside them", arguments: [false, true])
  func bits(isSet: Bool) throws {
    try withMemory { memory, start in
      let edges = [0, 1, 5, 63, 64, 65, 127, 128, 700, 1023, 1024, 2500, 2559, 2560]
      try withEvery("first", in: edges) { first in
        try withEvery("end", in: edges.filter { $0 >= first }) { end in
          let whole = PhysicalRange(
            start: PhysicalAddress(start.rawValue - 8), byteCount: UInt64(Self.wordCount + 2) * 8)
          let old: UInt64 = 0xa5a5_5a5a_0ff0_3c3c
          for word in 0..<UInt64(Self.wordCount + 2) {
            memory.setWord(old, at: whole.start.rawValue + word * 8)
          }
          memory.withWords(at: start, count: Self.wordCount) {
            $0.change(bits: first..<end, setting: isSet)
          }
          let words = memory.snapshot(of: whole)
          try #require(words.first == old && words.last == old, "changed a word outside")
          for bit in 0..<Self.wordCount * 64 {
            let isOne = words[1 + bit / 64] >> UInt64(bit % 64) & 1 != 0
            let wasOne = old >> UInt64(bit % 64) & 1 != 0
            try #require(isOne == ((first..<end).contains(bit) ? isSet : wasOne), "bit \(bit)")
          }
        }
      }
    }
  }

  @Test("the first word that differs", arguments: [false, true])
  func search(isSet: Bool) throws {
    try withMemory { memory, start in
      try withEvery("odd one", in: 0...Self.wordCount) { odd in
        try withEvery("from", in: 0...Self.wordCount) { from in
          let found = memory.withWords(at: start, count: Self.wordCount) { words in
            words.fill(0..<words.count, setting: isSet)
            if odd < words.count { words.publish(words.load(odd) ^ 1 << 40, at: odd) }
            return words.firstIndex(from: from, notAll: isSet)
          }
          try #require(found == (from <= odd ? odd : Self.wordCount))
        }
      }
    }
  }

  @Test("atomic changes of one word")
  func atomics() throws {
    try withMemory { memory, start in
      memory.withWords(at: start, count: 3) { words in
        #expect(words.setBits(0b110, at: 1) == 0)
        #expect(words.setBits(0b011, at: 1) == 0b110)
        #expect(words.clearBits(0b101, at: 1) == 0b111)
        #expect(words.loadPublished(1) == 0b010)
        #expect(words.publishIfZero(7, at: 1) == 0b010)
        #expect(words.load(1) == 0b010)
        #expect(words.publishIfZero(7, at: 2) == 0)
        #expect(words.load(2) == 7 && words.load(0) == 0)
      }
    }
  }

  @Test("words outside what was lent are a bug of the caller")
  func outside() async {
    await #expect(processExitsWith: .failure) {
      try WideWordsTests().withMemory { memory, start in
        memory.withWords(at: start, count: 2) { $0.fill(1..<3, setting: true) }
      }
    }
    await #expect(processExitsWith: .failure) {
      try WideWordsTests().withMemory { memory, start in
        memory.withWords(at: start, count: 2) { _ = $0.firstIndex(from: 3, notAll: true) }
      }
    }
  }
}
