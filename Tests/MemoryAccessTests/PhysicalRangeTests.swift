import HandoverTestSupport
import MemoryAccess
import Testing

/// Ranges of bytes, among small numbers and at the top of the address space.
@Suite(.namesCombination)
struct PhysicalRangeTests {
  private static func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
    PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
  }

  /// Compares two ranges by what they say of each other with sets of their bytes, both moved up by
  /// `offset`.
  private static func compare(offset: UInt64) throws {
    try withEvery("start", in: 0..<6 as Range<UInt64>) { start in
      try withEvery("byteCount", in: 0...(6 - start)) { byteCount in
        let range = Self.range(offset + start, byteCount)
        let bytes = Set(start..<(start + byteCount))
        try #require(range.isEmpty == bytes.isEmpty)
        try #require(range.last?.rawValue == bytes.max().map { $0 + offset })
        for address in 0..<6 as Range<UInt64> {
          try #require(
            range.contains(PhysicalAddress(offset + address)) == bytes.contains(address))
        }
        try withEvery("other start", in: 0..<6 as Range<UInt64>) { otherStart in
          try withEvery("other byteCount", in: 0...(6 - otherStart)) { otherByteCount in
            let other = Self.range(offset + otherStart, otherByteCount)
            let otherBytes = Set(otherStart..<(otherStart + otherByteCount))
            let shared = bytes.intersection(otherBytes)
            try #require(range.contains(other) == otherBytes.isSubset(of: bytes))
            try #require(range.overlaps(other) == !shared.isEmpty)
            let expected = shared.min().map { Self.range(offset + $0, UInt64(shared.count)) }
            try #require(range.intersection(other) == expected)
          }
        }
      }
    }
  }

  @Test("small numbers, and the last bytes below 2^64")
  func exhaustive() throws {
    try withEvery("offset", in: [0, 1000, 1 << 32 - 3, 1 << 63 - 3, 0 &- 6] as [UInt64]) {
      try Self.compare(offset: $0)
    }
  }

  @Test("the longest ranges")
  func longest() {
    let almostAll = Self.range(0, .max)
    let upper = Self.range(1, .max)
    #expect(almostAll.last?.rawValue == UInt64.max - 1)
    #expect(upper.last?.rawValue == .max)
    #expect(!almostAll.contains(PhysicalAddress(.max)))
    #expect(upper.contains(PhysicalAddress(.max)))
    #expect(almostAll.intersection(upper) == Self.range(1, .max - 1))
    #expect(!almostAll.contains(upper))
    #expect(almostAll.contains(Self.range(.max, 0)))
    #expect(!almostAll.overlaps(Self.range(.max, 1)))
  }

  @Test("lengths from outside are checked")
  func checked() {
    for (start, byteCount, isValid) in [
      (0, .max, true), (1, .max, true), (2, .max, false), (.max, 0, true), (.max, 1, true),
      (.max, 2, false), (1 << 63, 1 << 63, true), (1 << 63, 1 << 63 + 1, false),
    ] as [(UInt64, UInt64, Bool)] {
      let range = PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount)
      #expect((range != nil) == isValid)
      if isValid { #expect(range == Self.range(start, byteCount)) }
    }
  }

  @Test("a range past 2^64 is a mistake of the program")
  func trap() async {
    await #expect(processExitsWith: .failure) {
      _ = PhysicalRange(start: PhysicalAddress(2), byteCount: .max)
    }
  }

  @Test("how ranges print")
  func descriptions() {
    #expect(Self.range(0x1000, 0x1000).description == "[0x1000-0x1fff]")
    #expect(Self.range(0, 0).description == "[0x0-)")
    #expect(Self.range(.max, 1).description == "[0xffffffffffffffff-0xffffffffffffffff]")
  }
}
