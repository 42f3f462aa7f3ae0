import HandoverTestSupport
import KexecHandover
import Testing

/// Preserved memory under random operations, and a plain account of what it must hold.
///
/// Each page says in its first word to what it belongs, and in its last where it is there.
struct PreservedMemoryModel {
  /// Memory that was allocated in one operation, and is freed in one.
  struct Item {
    enum Kind {
      case block
      case run
      case area
    }

    let kind: Kind
    /// Of an area, that of its descriptor.
    let range: PhysicalRange
    /// The blocks that are entries, in the order in which their pages are counted.
    let blocks: [PhysicalBlock]
    /// The entries beside them: an area's descriptor and chunks.
    var more: [PhysicalBlock] = []
    let mark: UInt64
    var names: [String] = []
  }

  let geometry: PageGeometry
  private(set) var items: [Item] = []
  /// The names in the order in which a successor gets them.
  private(set) var names: [String] = []
  private(set) var counts: [String: Int] = [:]
  private var generator: SeededGenerator
  private var nextMark: UInt64 = 1

  private var page: UInt64 { UInt64(geometry.pageByteCount) }

  init(_ geometry: PageGeometry, seed: UInt64) {
    self.geometry = geometry
    generator = SeededGenerator(seed: seed)
  }

  /// Makes one operation.
  mutating func step(_ memory: inout PreservedMemory) throws {
    let choices = [
      "block", "block", "run", "run", "region", "region", "area", "free", "free", "free", "name",
      "remove name", "replace", "value", "trim", "refusal",
    ]
    let choice = generator.pick(choices)
    counts[choice, default: 0] += 1
    do throws(PreservedMemoryError) {
      switch choice {
      case "block": try allocateBlock(&memory)
      case "run": try allocateRun(&memory)
      case "region": try makeRegion(&memory)
      case "area": try makeArea(&memory)
      case "free": try free(&memory)
      case "name": try name(&memory)
      case "remove name": try removeName(&memory)
      case "replace": try replace(&memory)
      case "value": try value(&memory)
      case "trim": try memory.trim()
      default: refuse(&memory)
      }
    } catch {
      guard case .full = error else { throw error }
      counts["full", default: 0] += 1
    }
  }

  private func natural(_ range: PhysicalRange) -> [PhysicalBlock] {
    Array(
      NaturalBlocks(FrameRange(covering: range, in: geometry), in: geometry, nodeStarts: []))
  }

  private mutating func add(
    _ kind: Item.Kind, _ range: PhysicalRange, _ blocks: [PhysicalBlock],
    more: [PhysicalBlock] = [], names: [String] = [], _ memory: inout PreservedMemory
  ) {
    let item = Item(
      kind: kind, range: range, blocks: blocks, more: more, mark: nextMark, names: names)
    nextMark += 1
    items.append(item)
    self.names += names
    forEachPage(of: item) { address, number in
      let range = PhysicalRange(start: PhysicalAddress(address), byteCount: page)
      memory.withWords(of: range) { words in
        words.publish(item.mark, at: 0)
        words.publish(number, at: words.count - 1)
      }
    }
  }

  private func forEachPage(of item: Item, _ body: (UInt64, UInt64) -> Void) {
    var number: UInt64 = 0
    for block in item.blocks {
      for index in 0..<block.order.frameCount {
        body(block.address.rawValue + index * page, number)
        number += 1
      }
    }
  }

  // MARK: Operations

  private mutating func allocateBlock(
    _ memory: inout PreservedMemory
  ) throws(PreservedMemoryError) {
    let block = try memory.allocate(PageOrder(generator.index(below: 5)))
    add(.block, block.range(in: geometry), [block], &memory)
  }

  private mutating func allocateRun(
    _ memory: inout PreservedMemory
  ) throws(PreservedMemoryError) {
    let byteCount = 1 + generator.next() % (20 * page)
    var announced: PhysicalRange?
    let range = try memory.allocate(byteCount: byteCount) { announced = $0 }
    #expect(announced == range)
    add(.run, range, natural(range), &memory)
  }

  private mutating func newName() -> String {
    let name = "name-\(generator.index(below: 12))"
    return generator.isOne(in: 4) ? name + String(repeating: "x", count: 100) : name
  }

  private mutating func makeRegion(
    _ memory: inout PreservedMemory
  ) throws(PreservedMemoryError) {
    let name = newName()
    let byteCount = 1 + generator.next() % (9 * page)
    do throws(PreservedMemoryError) {
      let range = try memory.makeRegion(named: name, byteCount: byteCount)
      #expect(!names.contains(name) && range.byteCount == byteCount)
      add(.run, range, natural(range), names: [name], &memory)
    } catch {
      guard error == .nameTaken, names.contains(name) else { throw error }
    }
  }

  private mutating func makeArea(_ memory: inout PreservedMemory) throws(PreservedMemoryError) {
    let name = newName()
    guard !names.contains(name) else { return }
    let count = UInt64(generator.index(below: 12))
    let order = PageOrder(generator.index(below: 3))
    let area = try memory.makeArea(named: name, blockCount: count, order: order)
    let blocks = try memory.blocks(ofArea: name)
    #expect(blocks.count == Int(count) && blocks.allSatisfy { $0.order == order })
    guard let range = try memory.region(named: name) else { throw .noSuchName }
    var more = natural(range)
    // So few blocks are named by one chunk.
    if area.firstChunk != .zero {
      more.append(PhysicalBlock(address: area.firstChunk, order: .zero))
    }
    add(.area, range, blocks, more: more, names: [name], &memory)
  }

  private mutating func free(_ memory: inout PreservedMemory) throws(PreservedMemoryError) {
    guard !items.isEmpty else { return }
    let index = generator.index(below: items.count)
    let item = items[index]
    switch (item.kind, item.names.count) {
    case (.area, _): try memory.removeArea(named: item.names[0])
    case (.block, 0): try memory.free(item.blocks[0])
    case (.run, 0) where item.mark.isMultiple(of: 2):
      let isFreed = try memory.freeIfAllocated(item.range)
      let isFreedTwice = try memory.freeIfAllocated(item.range)
      #expect(isFreed && !isFreedTwice)
    case (.run, 0): try memory.free(item.range)
    case (_, 1) where item.blocks == natural(item.range):
      try memory.removeRegion(named: item.names[0])
    default:
      // A name is in the way, or the region is not all of what was allocated.
      for name in item.names {
        #expect(throws: PreservedMemoryError.self) { try memory.free(item.range) }
        try memory.removeName(name)
        items[index].names.removeAll { $0 == name }
        names.removeAll { $0 == name }
      }
      return
    }
    items.remove(at: index)
    names.removeAll { item.names.contains($0) }
  }

  private mutating func name(_ memory: inout PreservedMemory) throws(PreservedMemoryError) {
    let candidates = items.indices.filter { items[$0].kind != .area }
    guard !candidates.isEmpty else { return }
    let index = generator.pick(candidates)
    let name = newName()
    do throws(PreservedMemoryError) {
      try memory.name(items[index].range, name)
      #expect(!names.contains(name))
      items[index].names.append(name)
      names.append(name)
    } catch {
      guard error == .nameTaken, names.contains(name) else { throw error }
    }
  }

  private mutating func removeName(
    _ memory: inout PreservedMemory
  ) throws(PreservedMemoryError) {
    let candidates = items.indices.filter { items[$0].kind != .area && !items[$0].names.isEmpty }
    guard !candidates.isEmpty else { return }
    let index = generator.pick(candidates)
    let name = generator.pick(items[index].names)
    try memory.removeName(name)
    items[index].names.removeAll { $0 == name }
    names.removeAll { $0 == name }
  }

  private mutating func replace(_ memory: inout PreservedMemory) throws(PreservedMemoryError) {
    let candidates = items.indices.filter { index in
      // A value keeps its size.
      let names = items[index].names
      return items[index].kind == .run && names.count == 1 && !names[0].hasPrefix("value")
    }
    guard !candidates.isEmpty else { return }
    let index = generator.pick(candidates)
    let name = items[index].names[0]
    let range = try memory.replaceRegion(
      named: name, byteCount: 1 + generator.next() % (9 * page))
    items.remove(at: index)
    // What is replaced is the last in the device tree.
    names.removeAll { $0 == name }
    add(.run, range, natural(range), names: [name], &memory)
  }

  private mutating func value(_ memory: inout PreservedMemory) throws(PreservedMemoryError) {
    let name = "value-\(generator.index(below: 3))"
    let isThere = names.contains(name)
    let place = try memory.value(named: name, initially: 5 as UInt64)
    if !isThere {
      #expect(memory.load(place) == 5)
      let range = PhysicalRange(start: place.address, byteCount: 8)
      add(.run, range, natural(range), names: [name], &memory)
    }
    guard let item = items.first(where: { $0.names.contains(name) }) else { return }
    #expect(memory.load(place) == item.mark)
    #expect(
      throws: PreservedMemoryError.sizeDiffers(byteCount: 8, wanted: 4)
    ) { _ = try memory.value(named: name, initially: 5 as UInt32) }
    memory.store(item.mark, to: place)
  }

  private mutating func refuse(_ memory: inout PreservedMemory) {
    #expect(throws: PreservedMemoryError.noSuchName) {
      try memory.removeRegion(named: "nobody")
    }
    #expect(throws: PreservedMemoryError.self) {
      try memory.makeRegion(named: "a/b", byteCount: 1)
    }
    guard let item = items.first, item.names.isEmpty, item.kind == .run else { return }
    let half = PhysicalRange(
      start: item.range.start, byteCount: item.range.byteCount + 64 * page)
    #expect(throws: PreservedMemoryError.self) { try memory.free(half) }
  }

  // MARK: Take-overs

  /// Frees memory until so many pages are free, or nothing is left to free.
  mutating func makeRoom(pageCount: UInt64, _ memory: inout PreservedMemory) throws {
    while !items.isEmpty, try memory.freeByteCount() < pageCount * page { try free(&memory) }
  }

  /// Keeps some of it in a take-over, and forgets the rest.
  mutating func keepSome(in takeover: inout FreshTakeover) throws {
    var kept: [Item] = []
    names = []
    var single: [PhysicalBlock] = []
    defer { counts["blocks at once", default: 0] += single.count }
    for item in items where !generator.isOne(in: 3) {
      switch item.kind {
      case .area: try takeover.keepArea(named: item.names[0])
      case .block where generator.isOne(in: 2): try takeover.keep(item.blocks[0])
      case .block where item.names.isEmpty: single.append(item.blocks[0])
      case .block: try takeover.keep(item.blocks)
      case .run where item.names.isEmpty || generator.isOne(in: 2): try takeover.keep(item.range)
      case .run: break
      }
      if item.kind != .area {
        for name in item.names { try takeover.keepRegion(named: name) }
      }
      names += item.names
      kept.append(item)
    }
    try takeover.keep(single.sorted())
    items = kept
  }

  // MARK: Checks

  /// Compares the memory, and what a successor would find in it, with the account.
  func check(_ memory: inout PreservedMemory) throws {
    let state = try PreservedMemoryState(of: &memory, checkingBytes: false)
    try #require(state.names == names)
    var entries = Set(items.flatMap { $0.blocks + $0.more })
    entries.formUnion(state.handover.entries.filter { $0.address == state.handover.deviceTree })
    try #require(state.handover.entries == entries)
    var seen: Set<PhysicalBlock> = []
    memory.forEachBlock { seen.insert($0) }
    try #require(seen == entries)
    for item in items {
      for name in item.names {
        let found = try #require(state.handover.subtrees[name])
        try #require(found.address == item.range.start)
        try #require(found.byteCount == item.range.byteCount)
        try #require(try memory.region(named: name) == item.range)
      }
      if item.kind == .area {
        try #require(try memory.blocks(ofArea: item.names[0]) == item.blocks)
      }
      var wrongCount = 0
      forEachPage(of: item) { address, number in
        let range = PhysicalRange(start: PhysicalAddress(address), byteCount: page)
        let words = memory.withBytes(of: range) { bytes in
          (bytes.word(atByte: 0), bytes.word(atByte: bytes.byteCount - 8))
        }
        if words != (item.mark, number) { wrongCount += 1 }
      }
      try #require(wrongCount == 0)
    }
  }
}
