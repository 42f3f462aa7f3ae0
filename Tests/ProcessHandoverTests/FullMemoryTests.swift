import HandoverTestSupport
import KexecHandover
import Testing

@testable import ProcessHandover

/// Memory that has been full, and memory that is.
@Suite(.namesCombination) struct FullMemoryTests {
  /// Memory that cannot grow.
  private func memory(_ byteCount: UInt64, _ geometry: PageGeometry) throws -> PreservedMemory {
    try PreservedMemory(
      creating: .memfd(name: "full"), byteCount: byteCount, growableTo: byteCount,
      geometry: geometry)
  }

  private func fill(_ memory: inout PreservedMemory) throws {
    var frameCount: UInt64 = 1 << 12
    while frameCount > 0 {
      do throws(PreservedMemoryError) {
        _ = try memory.allocate(byteCount: frameCount * UInt64(memory.geometry.pageByteCount))
      } catch {
        guard case .full = error else { throw error }
        frameCount /= 2
      }
    }
  }

  /// Names can be removed from memory in which nothing can be allocated, in any order, and what is then
  /// free is used.
  @Test(arguments: [(12, 64), (12, 1024), (12, 40_000), (14, 256), (16, 64)])
  func namesAreRemovedFromFullMemory(shift: Int, pageCount: UInt64) throws {
    let geometry = PageGeometry(shift: shift)
    var memory = try memory(pageCount << UInt64(shift), geometry)
    var generator = SeededGenerator(seed: UInt64(shift) + pageCount)
    // The device tree of so many names has several pages of 4 KiB.
    var names = (0..<(pageCount > 64 ? 120 : 6)).map {
      "a region with a long name, number \($0)"
    }
    for name in names { try memory.makeRegion(named: name, byteCount: 1) }
    try fill(&memory)
    #expect(throws: PreservedMemoryError.self) { try memory.makeRegion(named: "x", byteCount: 1) }
    while !names.isEmpty {
      let name = names.remove(at: generator.index(below: names.count))
      try withCombination("name", name) {
        if generator.isOne(in: 2) {
          try memory.removeName(name)
        } else {
          try memory.removeRegion(named: name)
        }
        // What was freed is in use again.
        try fill(&memory)
      }
    }
    #expect(try memory.names() == [])
    _ = try PreservedMemoryState(of: &memory, checkingBytes: false)
  }

  /// What a successor adopts is full to the same page, and names can be removed there too.
  @Test(arguments: [(12, 64), (12, 1024), (16, 64)])
  func successorRemovesNamesFromFullMemory(shift: Int, pageCount: UInt64) throws {
    let geometry = PageGeometry(shift: shift)
    var first = try memory(pageCount << UInt64(shift), geometry)
    let names = (0..<(pageCount > 64 ? 120 : 6)).map { "a region with a long name, number \($0)" }
    for name in names { try first.makeRegion(named: name, byteCount: 1) }
    try fill(&first)
    let file = first.file
    _ = consume first
    for name in names {
      try withCombination("name", name) {
        var next = try PreservedMemory(adopting: file)
        try next.removeName(name)
        try fill(&next)
      }
    }
  }

  /// Where the device tree would grow, a name is added only if the next removal has a block as large.
  @Test func namesThatMakeTheDeviceTreeGrow() throws {
    for freeCount in 0..<24 {
      try withCombination("free pages", freeCount) {
        var memory = try memory(512 << 12, .pages4KiB)
        var blocks: [PhysicalBlock] = []
        while let block = try? memory.allocate(.zero) { blocks.append(block) }
        blocks.sort()
        for block in blocks.suffix(freeCount) { try memory.free(block) }
        var names: [String] = []
        while true {
          let name = "a region with a long name, number \(names.count)"
          do throws(PreservedMemoryError) {
            // A name for allocated memory, so that only the device tree needs room.
            try memory.name(blocks[0].range(in: memory.geometry), name)
            names.append(name)
          } catch {
            guard case .full = error else { throw error }
            #expect(try memory.names() == names)
            break
          }
          if names.count == 200 { break }
        }
        try fill(&memory)
        for name in names.reversed() {
          try memory.removeName(name)
          try fill(&memory)
        }
      }
    }
  }

  /// After any number of allocations and frees, what is free is one run again.
  @Test(arguments: 0..<3)
  func allOfItCanBeHadInOneRunAgain(seed: Int) throws {
    let byteCount: UInt64 = 16 << 20
    var memory = try memory(byteCount, .pages4KiB)
    var generator = SeededGenerator(seed: UInt64(seed))
    var runs: [PhysicalRange] = []
    var names: [String] = []
    for number in 0..<6000 {
      do throws(PreservedMemoryError) {
        switch generator.index(below: 8) {
        case 0 where !names.isEmpty:
          let name = names.remove(at: generator.index(below: names.count))
          try memory.removeRegion(named: name)
        case 1 where names.count < 60:
          let name = "region \(number)"
          try memory.makeRegion(
            named: name, byteCount: UInt64(1 + generator.index(below: 20_000)))
          names.append(name)
        case 2...4 where runs.count > 20:
          try memory.free(runs.remove(at: generator.index(below: runs.count)))
        default:
          let size = 1 << generator.index(below: 20)
          let run = try memory.allocate(byteCount: UInt64(size))
          // Collections rely on it: their slabs are found by address.
          #expect(run.start.rawValue & (UInt64(size) - 1) == 0)
          runs.append(run)
        }
      } catch {
        // Half of everything goes.
        guard case .full = error else { throw error }
        for _ in 0..<runs.count / 2 {
          try memory.free(runs.remove(at: generator.index(below: runs.count)))
        }
      }
    }
    for run in runs { try memory.free(run) }
    for name in names { try memory.removeRegion(named: name) }
    // The nodes take less than a sixteenth; the long run needs some too, since it has blocks of many sizes.
    let most = byteCount / 16 * 15
    let run = try memory.allocate(byteCount: most)
    #expect(run.byteCount == most)
    try memory.free(run)
    _ = try PreservedMemoryState(of: &memory)
    // And after a takeover that keeps one region.
    try memory.makeRegion(named: "kept", byteCount: 1)
    let file = memory.file
    _ = consume memory
    var takeover = try FreshTakeover(of: file)
    try takeover.keepRegion(named: "kept")
    var next = try takeover.finish()
    try next.removeRegion(named: "kept")
    _ = try next.allocate(byteCount: most)
  }

  /// Regions and runs keep their bytes and their places while nodes move.
  @Test func nodesMoveAndNothingElse() throws {
    var memory = try memory(8 << 20, .pages4KiB)
    var generator = SeededGenerator(seed: 5)
    var runs: [PhysicalRange] = []
    while true {
      do throws(PreservedMemoryError) {
        let run = try memory.allocate(byteCount: UInt64(4096 << generator.index(below: 4)))
        memory.withWords(of: run) { $0.publish(run.start.rawValue, at: 0) }
        runs.append(run)
      } catch {
        guard case .full = error else { throw error }
        break
      }
    }
    var kept: [PhysicalRange] = []
    for run in runs {
      if generator.isOne(in: 40) { kept.append(run) } else { try memory.free(run) }
    }
    // No free run is that long, so the memory is gathered.
    #expect(throws: PreservedMemoryError.self) { try memory.allocate(byteCount: 7 << 20) }
    for run in kept {
      let word = memory.withWords(of: run) { $0.load(0) }
      #expect(word == run.start.rawValue)
    }
    _ = try PreservedMemoryState(of: &memory)
    for run in kept { try memory.free(run) }
    _ = try memory.allocate(byteCount: 7 << 20)
  }
}
