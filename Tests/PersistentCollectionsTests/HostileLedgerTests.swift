import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections
@testable import ProcessHandover

/// Ledgers and roots that another program wrote, with check values that fit: an error or sound data, no
/// trap, and nothing outside of the collections is changed.
@Suite(.namesCombination) struct HostileLedgerTests {
  /// What must stay as it is: the region and the run of another owner.
  private struct Outside {
    let region: PhysicalRange
    let run: PhysicalRange

    func bytes(_ file: MemoryFile) -> [[UInt8]] {
      [region, run].map { file.withBytes(in: $0) { $0.copiedBytes() } ?? [] }
    }
  }

  /// A memory with two maps, one of which is in the middle of a change.
  private func killedMemory() throws -> (MemoryFile, Outside) {
    var memory = try PreservedMemory(
      creating: .memfd(name: "hostile"), byteCount: 2 << 20, growableTo: 1 << 26)
    let file = memory.file
    let region = try memory.makeRegion(named: "other", byteCount: 8192) { bytes in
      for offset in 0..<8192 {
        bytes.storeBytes(
          of: UInt8(truncatingIfNeeded: offset), toByteOffset: offset, as: UInt8.self)
      }
    }
    let run = try memory.allocate(byteCount: 3 * 4096)
    for name in ["one", "two"] {
      var map = try PersistentByteMap.open(memory, named: name)
      for number in 0..<40 { try set(&map, number, byteCount: number * 3) }
      try set(&map, 100, byteCount: 40_000)
      if name == "two" {
        // Killed here.
        try map.map.arena.begin()
        try set(&map, 100, byteCount: 3)
        try set(&map, 101, byteCount: 50_000)
        try set(&map, 7, byteCount: 9)
      }
      memory = map.close()
    }
    return (file, Outside(region: region, run: run))
  }

  private func set(_ map: inout PersistentByteMap, _ number: Int, byteCount: Int) throws {
    try Array("key:\(number)".utf8).withRawSpan { key in
      _ = try map.setValue(of: key, byteCount: byteCount) { bytes in
        for offset in 0..<byteCount {
          bytes.storeBytes(of: 5, toByteOffset: offset, as: UInt8.self)
        }
      }
    }
  }

  /// Opens both maps and works on them; errors are right too.
  private func workOn(_ file: MemoryFile) {
    do {
      var memory = try PreservedMemory(adopting: file)
      for name in ["two", "one"] {
        do throws(PersistentCollectionError) {
          var map = try PersistentByteMap.open(memory, named: name)
          _ = map.check()
          for number in 0..<12 { try? set(&map, number, byteCount: 200 + number) }
          try? set(&map, 102, byteCount: 60_000)
          for number in 20..<30 {
            _ = try? Array("key:\(number)".utf8).withRawSpan { try map.removeValue(of: $0) }
          }
          _ = map.check()
          memory = map.close()
        } catch {
          // Opening it let the memory go.
          memory = try PreservedMemory(adopting: file)
        }
      }
    } catch {}
  }

  @Test func killedMemoryIsSound() throws {
    let (file, outside) = try killedMemory()
    let before = outside.bytes(file)
    var memory = try PreservedMemory(adopting: file)
    for name in ["two", "one"] {
      let map = try PersistentByteMap.open(memory, named: name)
      #expect(map.check().findings == [] && map.count == 41)
      memory = map.close()
    }
    #expect(outside.bytes(file) == before)
  }

  /// Entries of the log that name words of the tree's nodes, the device tree, the superblock, the other
  /// owner's memory, the ledger itself, and of what does not exist.
  @Test func logsThatNameOtherWords() throws {
    let (file, outside) = try killedMemory()
    let snapshot = Snapshot(file)
    let contents = try MemoryContents(reading: file)
    let survey = try #require(contents.survey)
    let ledger = try #require(try MemoryLedger(among: survey.subtrees.map(\.subtree), in: file))
    let log = ledger.start + LedgerLayout.log
    let targets: [UInt64] =
      (survey.pages?.nodes.prefix(8).map(\.rawValue) ?? []) + [
        contents.superblock.state.deviceTree.rawValue, 0, 512, 4096 - 8,
        outside.region.start.rawValue, outside.run.start.rawValue, ledger.start,
        ledger.start + LedgerLayout.control, ledger.start + LedgerLayout.pending,
        ledger.start + LedgerLayout.log, file.byteCount, .max, .max - 7, 4,
        outside.region.start.rawValue + 4096,
      ]
    let before = outside.bytes(file)
    for (index, target) in targets.enumerated() {
      for place in [0, ledger.control.logCount - 1] {
        withCombination("target", index) {
          snapshot.restore(file)
          let entry = PhysicalAddress(log + UInt64(place) * 16)
          file.withWords(at: entry, count: 2) {
            $0.publish(target, at: 0)
            $0.publish(0xdead, at: 1)
          }
          let image = Snapshot(file)
          #expect(throws: PreservedMemoryError.contents(.changeDamaged)) {
            _ = try PreservedMemory(adopting: file)
          }
          // Nothing was written.
          #expect(image.differences(file) == [])
          #expect(outside.bytes(file) == before)
        }
      }
    }
    snapshot.restore(file)
    _ = try PreservedMemory(adopting: file)
  }

  /// Random words in the ledger and in the roots, check values made to fit.
  @Test(arguments: 0..<8)
  func randomWords(part: Int) throws {
    let (file, outside) = try killedMemory()
    let snapshot = Snapshot(file)
    let survey = try #require(try MemoryContents(reading: file).survey)
    let subtrees = survey.subtrees.map(\.subtree)
    let ledger = try #require(try MemoryLedger(among: subtrees, in: file))
    let roots = subtrees.filter { ["one", "two"].contains($0.name) }.map(\.address.rawValue)
    let before = outside.bytes(file)
    var generator = SeededGenerator(seed: UInt64(part))
    let interesting: [UInt64] =
      roots + subtrees.map(\.address.rawValue)
      + (survey.pages?.nodes.prefix(4).map(\.rawValue) ?? [])
      + [outside.run.start.rawValue, 0, 1, 8, 4096, 1 << 21, file.byteCount, .max]
    for round in 0..<125 {
      withCombination("seed \(part), round", round) {
        snapshot.restore(file)
        for _ in 0...generator.index(below: 3) {
          let base = generator.isOne(in: 3) ? generator.pick(roots) : ledger.start
          let offset: UInt64
          if base == ledger.start {
            let lists: [UInt64] = [
              64, 72, 80, LedgerLayout.chunks, LedgerLayout.pending, LedgerLayout.pendingFrees,
              LedgerLayout.slots, LedgerLayout.log,
            ]
            offset = generator.pick(lists) + UInt64(generator.index(below: 12)) * 8
          } else {
            offset = UInt64(generator.index(below: 320)) * 8
          }
          var word = generator.pick(interesting)
          if generator.isOne(in: 3) { word = generator.next() }
          if offset == 64, base == ledger.start {
            word =
              LedgerControl(
                logCount: generator.index(below: 40), pendingCount: generator.index(below: 4),
                pendingFreeCount: generator.index(below: 4)
              ).word
          }
          file.withWords(at: PhysicalAddress(base + offset), count: 1) {
            $0.publish(word, at: 0)
          }
        }
        for root in roots { fixCheck(ofRoot: root, file) }
        workOn(file)
        #expect(outside.bytes(file) == before)
      }
    }
  }

  private func fixCheck(ofRoot root: UInt64, _ file: MemoryFile) {
    file.withWords(at: PhysicalAddress(root), count: 7) { words in
      let fixed = (0..<6).map { words.load($0) }
      words.publish(CollectionRoot.checkValue(fixed), at: 6)
    }
  }

  /// All words of a file.
  private struct Snapshot {
    let pages: [UInt64: [UInt8]]

    init(_ file: MemoryFile) {
      var pages: [UInt64: [UInt8]] = [:]
      for page in 0..<file.byteCount / 4096 {
        _ = file.withBytes(in: Self.range(page)) { bytes in
          let isZero = Self.zeros.withRawSpan { isEqual($0, bytes) }
          if !isZero { pages[page] = bytes.copiedBytes() }
        }
      }
      self.pages = pages
    }

    private static func range(_ page: UInt64) -> PhysicalRange {
      PhysicalRange(start: PhysicalAddress(page * 4096), byteCount: 4096)
    }

    private static let zeros = [UInt8](repeating: 0, count: 4096)

    func restore(_ file: MemoryFile) {
      for page in 0..<file.byteCount / 4096 {
        (pages[page] ?? Self.zeros).withRawSpan { wanted in
          let isSame = file.withBytes(in: Self.range(page)) { isEqual($0, wanted) } ?? true
          if !isSame { file.withMutableBytes(in: Self.range(page)) { copy(wanted, to: &$0) } }
        }
      }
    }

    func differences(_ file: MemoryFile) -> [UInt64] {
      let now = Snapshot(file).pages
      return Set(now.keys).union(pages.keys).filter { now[$0] != pages[$0] }.sorted()
    }
  }
}
