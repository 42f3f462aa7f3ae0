import HandoverTestSupport
import MemoryAccess
import MemoryImages
import PageAllocation
import Testing

/// All sequences of a few steps on an address space of a few pages.
@Suite(.namesCombination)
struct MemblockToyTests {
  static let memory = try! AnonymousMemory(PhysicalRange(start: .zero, byteCount: 4096))

  /// All ranges within 0..<`count`.
  static func ranges(_ count: Int) -> [Range<Int>] {
    (0..<count).flatMap { start in (start + 1...count).map { start..<$0 } }
  }

  private func checkAllSequences(
    of steps: [MemblockStep], length: Int, granuleCount: Int, capacity: Int
  ) throws {
    var total = 1
    for _ in 0..<length { total *= steps.count }
    try withEvery("sequence", in: 0..<total) { number in
      var memblock = Memblock(
        in: Self.memory, geometry: PageGeometry(shift: 4), capacity: capacity)
      // Nowhere to grow: the lists are what is looked at here.
      memblock.accessible = PhysicalRange(start: .zero, byteCount: 0)
      var model = MemblockModel(granule: 16, count: granuleCount)
      var rest = number
      for _ in 0..<length {
        try steps[rest % steps.count].take(&memblock, &model)
        rest /= steps.count
      }
      try model.check(memblock)
    }
  }

  @Test("every three reservations of two kinds and frees")
  func reservations() throws {
    let steps = Self.ranges(4).flatMap {
      [MemblockStep.reserve($0, []), .reserve($0, .preserved), .free($0)]
    }
    try checkAllSequences(of: steps, length: 3, granuleCount: 4, capacity: 4)
  }

  @Test("every three changes to memory")
  func memory() throws {
    let steps = Self.ranges(3).flatMap {
      [
        MemblockStep.add($0, node: 0, []), .add($0, node: 1, .hotplug), .remove($0),
        .mark($0, .scratch, clearing: []), .mark($0, [], clearing: .scratch), .setNode($0, 1),
      ]
    }
    try checkAllSequences(of: steps, length: 3, granuleCount: 3, capacity: 4)
  }

  @Test("every three changes to an address space full to its last byte")
  func wholeAddressSpace() throws {
    // Quarters of 2^64 bytes; all four in one range have no length.
    let ranges = Self.ranges(4).filter { $0.count < 4 }
    let steps = ranges.flatMap {
      [
        MemblockStep.add($0, node: nil, []), .remove($0), .mark($0, .mirror, clearing: []),
        .mark($0, [], clearing: .mirror),
      ]
    }
    try withEvery("full from", in: [1..<4, 0..<3]) { first in
      try withEvery("sequence", in: 0..<steps.count * steps.count) { number in
        var memblock = Memblock(
          in: Self.memory, geometry: PageGeometry(shift: 4), capacity: 6)
        memblock.accessible = PhysicalRange(start: .zero, byteCount: 0)
        var model = MemblockModel(granule: 1 << 62, count: 4)
        for step in [
          .add(first, node: nil, []),
          first.lowerBound == 1
            ? .add(0..<1, node: nil, [])
            : .add(3..<4, node: nil, []), steps[number % steps.count],
          steps[number / steps.count],
        ] as [MemblockStep] {
          try step.take(&memblock, &model)
          // Which two regions all bytes are in is not fixed, but that no others could be one is.
          try memblock.validate()
          for quarter in 0..<4 {
            let region = memblock.memoryRegion(at: model.range(quarter..<quarter + 1).start)
            try #require(region?.flags == model.memory[quarter]?.flags)
          }
        }
      }
    }
  }

  @Test("a change within, at, and over each of five regions that differ in turn")
  func changesOverRegions() throws {
    let setups: [[MemblockStep]] = [
      [.add(0..<10, node: 0, [])],
      [.add(0..<3, node: 0, []), .add(3..<6, node: 1, []), .add(6..<10, node: 0, [])],
      (0..<5).map { .add($0 * 2..<$0 * 2 + 2, node: $0 % 2 == 0 ? 0 : 1, []) },
      [.add(0..<10, node: 0, []), .mark(2..<4, .scratch, clearing: []), .setNode(7..<8, nil)],
    ]
    let changes = Self.ranges(10).flatMap {
      [
        MemblockStep.mark($0, .mirror, clearing: []), .mark($0, [], clearing: .scratch),
        .setNode($0, 0), .setNode($0, 1), .remove($0), .add($0, node: 0, []),
      ]
    }
    try withEvery("setup", in: setups) { setup in
      try withEvery("change", in: changes) { change in
        try withEvery("capacity", in: [5, 6, 7, 128]) { capacity in
          var memblock = Memblock(
            in: Self.memory, geometry: PageGeometry(shift: 4), capacity: capacity)
          memblock.accessible = PhysicalRange(start: .zero, byteCount: 0)
          var model = MemblockModel(granule: 16, count: 10)
          for step in setup { try step.take(&memblock, &model) }
          try change.take(&memblock, &model)
          try model.check(memblock)
          // Back to one region: nothing that was split stays split.
          for step in [
            MemblockStep.add(0..<10, node: 0, []), .setNode(0..<10, 0),
            .mark(0..<10, [], clearing: [.scratch, .mirror]),
          ] {
            try step.take(&memblock, &model)
          }
          try model.check(memblock)
          try #require(memblock.memoryRegionCount == 1)
        }
      }
    }
  }
}
