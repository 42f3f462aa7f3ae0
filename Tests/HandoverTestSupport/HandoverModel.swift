import KexecHandover
import Testing

/// A handover under random operations, and a plain account of what it must hold.
package struct HandoverModel: ~Copyable {
  /// Something that was preserved in one operation, and is unpreserved in one.
  enum Item {
    case block(PhysicalBlock)
    case run(FrameRange)
    case area(VmallocArea, blocks: [PhysicalBlock], chunks: [PhysicalBlock])
  }

  package var bench: HandoverBench
  private var generator: SeededGenerator
  private var items: [Item] = []
  private var records: [RecordSlot] = []
  /// The entries, but for that of the device tree.
  private var entries: Set<PhysicalBlock> = []
  private var subtrees: [String: Subtree] = [:]
  /// How often each operation was made, and how often one was refused for want of frames.
  package private(set) var counts: [String: Int] = [:]

  private struct Subtree {
    let range: PhysicalRange
    /// The blocks that go with it; empty of one whose memory is an item's.
    let blocks: [PhysicalBlock]
    let seed: Int
  }

  /// Serialization blocks that nothing points to.
  private struct RecordSlot {
    let writer: WriterBox
    let blocks: [PhysicalBlock]
  }

  /// Holds what cannot be copied.
  private final class WriterBox {
    var writer: SerializedRecordWriter<RecordingMemory>?
    init(_ writer: consuming SerializedRecordWriter<RecordingMemory>) {
      self.writer = consume writer
    }
  }

  private var geometry: PageGeometry { bench.geometry }

  package init(_ bench: consuming HandoverBench, seed: UInt64) {
    self.bench = bench
    generator = SeededGenerator(seed: seed)
  }

  /// Makes one operation, of which all but a few are possible.
  package mutating func step() throws {
    let choices: [(String, Int)] = [
      ("block", 6), ("run", 6), ("area", 3), ("unpreserve", 9), ("create", 4), ("add", 2),
      ("replace", 3), ("remove", 3), ("records", 1), ("free records", 1), ("prune", 1),
      ("adopt", 1), ("refusal", 3),
    ]
    var pick = generator.index(below: choices.reduce(0) { $0 + $1.1 })
    var name = ""
    for (choice, weight) in choices {
      if pick < weight {
        name = choice
        break
      }
      pick -= weight
    }
    counts[name, default: 0] += 1
    do throws(OutgoingHandoverError) {
      switch name {
      case "block": try preserveBlock()
      case "run": try preserveRun()
      case "area": try preserveArea()
      case "unpreserve": try unpreserve()
      case "create": try create()
      case "add": try add()
      case "replace": try replace()
      case "remove": try remove()
      case "records": try allocateRecords()
      case "free records": freeRecords()
      case "prune": bench.handover.prune(into: &bench.frames)
      case "adopt": try adopt()
      default: refuse()
      }
    } catch {
      guard case .outOfFrames = error else { throw error }
      counts["full", default: 0] += 1
    }
  }

  private mutating func preserveBlock() throws(OutgoingHandoverError) {
    let order = PageOrder(generator.index(below: 5))
    let block: PhysicalBlock
    if generator.isOne(in: 2) {
      block = try bench.handover.allocatePreserved(order, from: &bench.frames)
    } else {
      guard let taken = bench.frames.takeBlock(order) else { return }
      block = taken
      do throws(OutgoingHandoverError) {
        let isNew = try bench.handover.preserve(block, from: &bench.frames)
        #expect(isNew)
        let isNewAgain = try bench.handover.preserve(block, from: &bench.frames)
        #expect(!isNewAgain)
      } catch {
        bench.frames.giveBack(block, in: geometry)
        throw error
      }
    }
    entries.insert(block)
    items.append(.block(block))
  }

  private mutating func preserveRun() throws(OutgoingHandoverError) {
    let frameCount = UInt64(1 + generator.index(below: 40))
    let run: FrameRange
    if generator.isOne(in: 2) {
      run = try bench.handover.allocatePreserved(frameCount: frameCount, from: &bench.frames)
    } else {
      guard let taken = bench.frames.takeFrames(frameCount) else { return }
      run = taken
      do throws(OutgoingHandoverError) {
        try bench.handover.preserve(run, from: &bench.frames)
      } catch {
        bench.frames.giveBack(run)
        throw error
      }
    }
    entries.formUnion(natural(run))
    items.append(.run(run))
  }

  private func natural(_ run: FrameRange) -> [PhysicalBlock] {
    Array(NaturalBlocks(run, in: geometry, nodeStarts: bench.handover.nodeStarts))
  }

  private mutating func preserveArea() throws(OutgoingHandoverError) {
    let order = PageOrder(generator.index(below: 3))
    let area = try bench.handover.allocatePreservedArea(
      blockCount: UInt64(generator.index(below: 30)), order: order, from: &bench.frames)
    var blocks: [PhysicalBlock] = []
    var chunks: [PhysicalBlock] = []
    var reader = VmallocBlocks(area, in: bench.memory, geometry: geometry)
    do throws(RecordError) {
      while let step = try reader.next() {
        switch step {
        case .block(let block): blocks.append(block)
        case .chunk(let page): chunks.append(PhysicalBlock(address: page, order: .zero))
        }
      }
    } catch {
      throw .areaDamaged(error)
    }
    entries.formUnion(blocks + chunks)
    items.append(.area(area, blocks: blocks, chunks: chunks))
  }

  /// Whether a subtree is in one of `blocks`.
  private func holdsSubtree(_ blocks: [PhysicalBlock]) -> Bool {
    subtrees.values.contains { subtree in
      blocks.contains { $0.range(in: geometry).overlaps(subtree.range) }
    }
  }

  private func blocks(of item: Item) -> [PhysicalBlock] {
    switch item {
    case .block(let block): [block]
    case .run(let run): natural(run)
    case .area(_, let blocks, let chunks): blocks + chunks
    }
  }

  private mutating func unpreserve() throws(OutgoingHandoverError) {
    guard !items.isEmpty else { return }
    let index = generator.index(below: items.count)
    let item = items[index]
    let blocks = blocks(of: item)
    let isHeld = holdsSubtree(blocks)
    do throws(OutgoingHandoverError) {
      switch item {
      case .block(let block):
        try bench.handover.unpreserveAndFree(block, into: &bench.frames)
      case .run(let run):
        try bench.handover.unpreserveAndFree(run, into: &bench.frames)
      case .area(let area, _, _):
        try bench.handover.unpreserveAndFree(area, into: &bench.frames)
      }
      #expect(!isHeld)
    } catch {
      guard isHeld, case .holdsSubtree = error else { throw error }
      counts["held", default: 0] += 1
      return
    }
    items.remove(at: index)
    entries.subtract(blocks)
  }

  private mutating func newName() -> String {
    let name = "blob-\(generator.index(below: 30))"
    return generator.isOne(in: 4) ? name + String(repeating: "x", count: 60) : name
  }

  private mutating func create() throws(OutgoingHandoverError) {
    let name = newName()
    let byteCount = UInt64(1 + generator.index(below: 6 * geometry.pageByteCount))
    let seed = generator.index(below: 256)
    do throws(OutgoingHandoverError) {
      let range = try bench.handover.createSubtree(
        named: name, byteCount: byteCount, from: &bench.frames
      ) { $0.fillBytes(seed: seed) }
      #expect(subtrees[name] == nil && range.byteCount == byteCount)
      note(name, range, seed)
    } catch {
      guard error == .subtreeExists, subtrees[name] != nil else { throw error }
    }
  }

  private mutating func note(_ name: String, _ range: PhysicalRange, _ seed: Int) {
    var blocks = natural(FrameRange(covering: range, in: geometry))
    if bench.handover.version.subtreeSizeProperty == nil {
      var order = 0
      while geometry.blockByteCount(PageOrder(order)) < range.byteCount { order += 1 }
      blocks = [PhysicalBlock(address: range.start, order: PageOrder(order))]
    }
    entries.formUnion(blocks)
    subtrees[name] = Subtree(range: range, blocks: blocks, seed: seed)
  }

  /// Registers a part of an item.
  private mutating func add() throws(OutgoingHandoverError) {
    guard !items.isEmpty else { return }
    let blocks = blocks(of: items[generator.index(below: items.count)])
    guard let block = blocks.first else { return }
    let size = Int(geometry.blockByteCount(block.order))
    let offset = generator.index(below: size)
    let range = PhysicalRange(
      start: block.address.advanced(byBytes: UInt64(offset)),
      byteCount: UInt64(1 + generator.index(below: size - offset)))
    let name = newName()
    do throws(OutgoingHandoverError) {
      try bench.handover.addSubtree(range, named: name, from: &bench.frames)
      #expect(subtrees[name] == nil)
      subtrees[name] = Subtree(range: range, blocks: [], seed: -1)
    } catch {
      guard error == .subtreeExists, subtrees[name] != nil else { throw error }
    }
  }

  private mutating func pickSubtree() -> (key: String, value: Subtree)? {
    guard !subtrees.isEmpty else { return nil }
    let sorted = subtrees.sorted { $0.key < $1.key }
    return generator.pick(sorted)
  }

  private mutating func replace() throws(OutgoingHandoverError) {
    guard let (name, old) = pickSubtree(), !old.blocks.isEmpty else { return }
    let byteCount = UInt64(1 + generator.index(below: 6 * geometry.pageByteCount))
    let seed = generator.index(below: 256)
    let range = try bench.handover.replaceSubtree(
      named: name, byteCount: byteCount, from: &bench.frames
    ) { $0.fillBytes(seed: seed) }
    entries.subtract(old.blocks)
    note(name, range, seed)
  }

  private mutating func remove() throws(OutgoingHandoverError) {
    guard let (name, old) = pickSubtree() else { return }
    if old.blocks.isEmpty {
      try bench.handover.removeSubtree(named: name, from: &bench.frames)
    } else if generator.isOne(in: 3) {
      try bench.handover.removeSubtree(named: name, from: &bench.frames)
      // Its memory is an item now.
      if bench.handover.version.subtreeSizeProperty == nil {
        items.append(.block(old.blocks[0]))
      } else {
        items.append(.run(FrameRange(covering: old.range, in: geometry)))
      }
    } else {
      try bench.handover.removeSubtreeAndFree(named: name, from: &bench.frames)
      entries.subtract(old.blocks)
    }
    subtrees[name] = nil
  }

  private mutating func allocateRecords() throws(OutgoingHandoverError) {
    let count = UInt64(generator.index(below: 12))
    let before = try entriesNow()
    let writer = try bench.handover.allocateRecords(
      recordByteCount: geometry.pageByteCount - 16, recordCount: count, from: &bench.frames)
    let new = try entriesNow().subtracting(before)
    #expect(new.count == Int(count) && new.allSatisfy { $0.order == .zero })
    entries.formUnion(new)
    records.append(RecordSlot(writer: WriterBox(writer), blocks: Array(new)))
  }

  private func entriesNow() throws(OutgoingHandoverError) -> Set<PhysicalBlock> {
    var entries: Set<PhysicalBlock> = []
    bench.handover.tree.forEachKey { key in
      if let block = key.decoded(in: geometry) { entries.insert(block) }
    }
    return entries
  }

  private mutating func freeRecords() {
    guard let slot = records.popLast(), let writer = slot.writer.writer.take() else { return }
    bench.handover.free(writer, into: &bench.frames)
    entries.subtract(slot.blocks)
  }

  /// Goes on with a new value for the same handover, as a successor does in place.
  private mutating func adopt() throws(OutgoingHandoverError) {
    let found: SurveyedHandover
    do { found = try bench.survey() } catch { preconditionFailure("\(error)") }
    guard let tree = found.survey.deviceTree, let root = tree.map, let version = tree.version,
      let block = found.deviceTreeBlock
    else { preconditionFailure("a handover without entries") }
    bench.handover = try OutgoingHandover(
      adopting: root, deviceTree: block, in: bench.memory, geometry: geometry, version: version,
      anchor: RecordingAnchor(bench.anchor, journal: bench.memory.journal),
      scratchAreas: bench.handover.scratchAreas, nodeStarts: bench.handover.nodeStarts)
  }

  /// Asks for what must be refused.
  private mutating func refuse() {
    let entry = entries.sorted().randomElement(using: &generator)
    guard let entry else { return }
    if entry.order > .zero {
      let half = PhysicalBlock(
        address: entry.address, order: PageOrder(Int(entry.order.rawValue) - 1))
      #expect(throws: OutgoingHandoverError.overlapsEntry(half, entry: entry)) {
        try bench.handover.preserve(half, from: &bench.frames)
      }
      #expect(throws: OutgoingHandoverError.notPreserved(half)) {
        try bench.handover.unpreserve(half)
      }
    }
    let own = bench.handover.deviceTree
    #expect(throws: OutgoingHandoverError.overlapsDeviceTree(own, deviceTree: own)) {
      try bench.handover.preserve(own, from: &bench.frames)
    }
    #expect(throws: OutgoingHandoverError.noSuchSubtree) {
      try bench.handover.removeSubtree(named: "no such", from: &bench.frames)
    }
    if let area = bench.handover.scratchAreas.first {
      let block = PhysicalBlock(address: area.range.start, order: .zero)
      #expect(throws: OutgoingHandoverError.overlapsScratch(block, area)) {
        try bench.handover.preserve(block, from: &bench.frames)
      }
    }
  }

  /// Compares the account with what is found from outside.
  package func check() throws {
    let found = try bench.survey()
    var expected = entries
    expected.insert(try #require(found.deviceTreeBlock))
    try #require(found.state.entries == expected)
    try #require(Set(found.state.subtrees.keys) == Set(subtrees.keys))
    let knowsSize = bench.handover.version.subtreeSizeProperty != nil
    for (name, subtree) in subtrees {
      let stored = try #require(found.state.subtrees[name])
      try #require(stored.address == subtree.range.start)
      try #require(stored.byteCount == (knowsSize ? subtree.range.byteCount : nil))
      if subtree.seed >= 0 {
        let count = min(stored.bytes.count, Int(subtree.range.byteCount), 512)
        for offset in 0..<count {
          try #require(
            stored.bytes[offset] == UInt8(truncatingIfNeeded: offset &* 31 &+ subtree.seed))
        }
      }
    }
    try #require(bench.anchor.pending == nil)
    try bench.frames.base.validate()
    try #require(found.survey.checkRecords(in: bench.memory).findings.isEmpty)
  }

  /// Checks that no frame is out but for entries, nodes and the pages that name records' blocks.
  package func checkNothingLost() throws {
    let found = try bench.survey()
    let known = found.entryFrames(in: geometry).union(found.nodes)
    try #require(bench.frames.out.isSuperset(of: known))
    let perPage = geometry.pageWordCount - 1
    let listFrameCount = records.reduce(0) { $0 + ($1.blocks.count + perPage - 1) / perPage }
    try #require(bench.frames.out.subtracting(known).count == listFrameCount)
  }
}
