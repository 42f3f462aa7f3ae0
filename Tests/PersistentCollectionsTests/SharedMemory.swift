import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections
@testable import ProcessHandover

/// A memory file with several maps, every store to which is recorded: with its superblock, its tree, its
/// ledger, and a region and a run of another owner.
struct SharedMemory: ~Copyable {
  typealias Outgoing = OutgoingHandover<RecordingMemory, Superblock<RecordingMemory>>
  typealias Map = ByteMap<HandoverStorage>
  typealias Contents = [[[UInt8]: [UInt8]]]

  static let geometry = PageGeometry.pages4KiB

  let memory: RecordingMemory
  var map: Map
  var roots: [CollectionRoot?]
  var expected: Contents

  static func name(_ index: Int) -> String { "map-\(index)" }

  static func make(mapCount: Int, byteCount: UInt64) throws -> SharedMemory {
    let memory = RecordingMemory(
      try AnonymousMemory(PhysicalRange(start: .zero, byteCount: byteCount)))
    var frames = try Self.frames(byteCount, memory) { $0.manageFree($1) }
    let superblock = Superblock(
      formatting: memory, geometry: geometry, byteCount: byteCount,
      identity: MemoryFileIdentity(high: 1, low: 2))
    var outgoing = try Outgoing(
      in: memory, geometry: geometry, anchor: superblock, from: &frames)
    try outgoing.createSubtree(named: "other", byteCount: 8192, from: &frames) {
      for offset in 0..<8192 {
        $0.storeBytes(of: UInt8(truncatingIfNeeded: offset), toByteOffset: offset, as: UInt8.self)
      }
    }
    _ = try outgoing.allocatePreserved(frameCount: 3, from: &frames)
    try outgoing.createSubtree(
      named: LedgerLayout.regionName, byteCount: LedgerLayout.byteCount, from: &frames
    ) { LedgerLayout.fill(&$0, identity: 9) }
    for index in 0..<mapCount {
      try outgoing.createSubtree(
        named: name(index), byteCount: RootLayout.byteCount, from: &frames
      ) { CollectionRoot.fill(&$0, .map, hashKey: (1, 2), ledger: 9) }
    }
    let ledger = try ledger(outgoing, memory)
    return SharedMemory(memory, outgoing, frames, ledger, mapCount: mapCount)
  }

  private static func ledger(
    _ outgoing: borrowing Outgoing, _ memory: RecordingMemory
  ) throws -> MemoryLedger {
    let region = try outgoing.subtree(named: LedgerLayout.regionName)
    return try MemoryLedger(at: try #require(region?.address), in: memory)
  }

  /// What a successor does: it adopts the memory, and has opened no map yet.
  static func adopt(_ memory: RecordingMemory, mapCount: Int) throws -> SharedMemory {
    let adopted = try AdoptedHandover(MemoryContents(reading: memory), in: memory)
    let pages = adopted.pages
    let outgoing = adopted.takeOutgoing()
    var isUsed = Array(repeating: false, count: Int(memory.byteCount / 4096))
    isUsed[0] = true
    for node in pages.nodes { isUsed[Int(node.rawValue / 4096)] = true }
    pages.forEachBlock(in: memory) { block in
      for index in 0..<block.order.frameCount {
        isUsed[Int(block.address.rawValue / 4096 + index)] = true
      }
    }
    let frames = try Self.frames(memory.byteCount, memory) { buddy, all in
      for frame in 1..<isUsed.count where !isUsed[frame] {
        buddy.manageFree(FrameRange(start: FrameNumber(UInt64(frame)), frameCount: 1))
      }
      buddy.manage(all)
    }
    let ledger = try ledger(outgoing, memory)
    #expect(ledger.control == LedgerControl())
    return SharedMemory(memory, outgoing, frames, ledger, mapCount: mapCount)
  }

  private init(
    _ memory: RecordingMemory, _ outgoing: consuming Outgoing, _ frames: consuming ZeroedFrames,
    _ ledger: MemoryLedger, mapCount: Int
  ) {
    self.memory = memory
    map = Map(
      arena: Arena(HandoverStorage(memory, outgoing, frames), ledger), sip: SipHash(key: (0, 0)))
    roots = Array(repeating: nil, count: mapCount)
    expected = Array(repeating: [:], count: mapCount)
  }

  private static func frames(
    _ byteCount: UInt64, _ memory: RecordingMemory,
    _ fill: (inout BuddyAllocator<AnonymousMemory>, FrameRange) -> Void
  ) throws -> ZeroedFrames {
    let all = FrameRange(start: FrameNumber(1), frameCount: byteCount / 4096 - 1)
    let map = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 1 << 20)
    var buddy = BuddyAllocator(
      in: try AnonymousMemory(map), geometry: geometry, covering: all, mapAt: map.start)
    fill(&buddy, all)
    return ZeroedFrames(buddy: buddy, memory: memory)
  }

  /// Opens a map, or means it again.
  mutating func use(_ index: Int) throws(PersistentCollectionError) {
    if let root = roots[index] { return map.use(root) }
    let region = try region(Self.name(index))
    let root = try map.arena.open(
      CollectionRoot(in: region, of: memory, ledger: 9))
    roots[index] = root
    map.use(root)
    try map.prepare()
  }

  func region(_ name: String) throws(PersistentCollectionError) -> PhysicalRange {
    let subtree = try? map.arena.storage.box.outgoing!.subtree(named: name)
    guard let subtree, let byteCount = subtree.byteCount else { throw .notThisCollection }
    return PhysicalRange(start: subtree.address, byteCount: byteCount)
  }

  mutating func set(
    _ index: Int, _ key: [UInt8], _ value: [UInt8]
  ) throws(PersistentCollectionError) {
    try use(index)
    try value.withRawSpan { (value) throws(PersistentCollectionError) in
      try key.withRawSpan { (key) throws(PersistentCollectionError) in
        _ = try map.setValue(of: key, byteCount: value.byteCount, metadata: EntryMetadata()) {
          copy(value, to: &$0)
        }
      }
    }
    expected[index][key] = value
  }

  mutating func remove(_ index: Int, _ key: [UInt8]) throws(PersistentCollectionError) {
    try use(index)
    _ = try key.withRawSpan { (key) throws(PersistentCollectionError) in
      try map.removeValue(of: key)
    }
    expected[index][key] = nil
  }

  /// What `body` does to all the maps happens completely or not at all.
  mutating func together(
    _ body: (inout SharedMemory) throws(PersistentCollectionError) -> Void
  ) throws(PersistentCollectionError) {
    let before = expected
    try map.arena.begin()
    do throws(PersistentCollectionError) {
      try body(&self)
      try map.arena.end()
    } catch {
      try map.arena.abandon(after: error)
      expected = before
      throw error
    }
  }

  mutating func contents(of index: Int) throws -> [[UInt8]: [UInt8]] {
    try use(index)
    var contents: [[UInt8]: [UInt8]] = [:]
    var cursor: UInt64 = 0
    repeat {
      cursor = try map.scan(from: cursor) { key, value, _ in
        contents[key.copiedBytes()] = value.copiedBytes()
      }
    } while cursor != 0
    return contents
  }

  /// What is wrong with the maps and with the memory under them: findings, pieces that two have, and
  /// preserved memory that none has.
  mutating func problems() throws -> [String] {
    var problems: [String] = []
    var pieces: [PhysicalRange] = []
    for index in roots.indices {
      try use(index)
      let report = map.check()
      problems += report.findings.map { "\(index): \($0)" }
      pieces += report.pieces
    }
    var owned: Set<PhysicalBlock> = []
    let names = ["other", LedgerLayout.regionName] + roots.indices.map(Self.name)
    for range in try pieces + names.map({ try region($0) }) {
      for block in NaturalBlocks(
        FrameRange(covering: range, in: Self.geometry), in: Self.geometry, nodeStarts: [])
      {
        if !owned.insert(block).inserted { problems.append("\(block) is used twice") }
      }
    }
    let contents = try MemoryContents(reading: memory)
    let pages = try #require(contents.survey?.pages)
    let deviceTree = contents.superblock.state.deviceTree
    var unnamed: [PhysicalBlock] = []
    pages.forEachBlock(in: memory) { block in
      if owned.remove(block) == nil && block.address != deviceTree { unnamed.append(block) }
    }
    // The run of the other owner, of three pages.
    if unnamed.reduce(0, { $0 + $1.order.frameCount }) != 3 {
      problems.append("without an owner: \(unnamed)")
    }
    problems += owned.map { "\($0) is not preserved" }
    let ledger = try MemoryLedger(at: PhysicalAddress(map.arena.ledger), in: memory)
    let recorded = try ledger.pieces(memory.ledgerWord).map(\.range)
    let rooted = try roots.indices.map { try region(Self.name($0)) }
    if Set(recorded) != Set(pieces + rooted) { problems.append("the ledger has \(recorded)") }
    return problems
  }
}

/// Pieces out of a handover whose memory is recorded.
struct HandoverStorage: ~Copyable, PersistentStorage {
  final class Box {
    var outgoing: SharedMemory.Outgoing?
    var frames: ZeroedFrames?

    init(_ outgoing: consuming SharedMemory.Outgoing, _ frames: consuming ZeroedFrames) {
      self.outgoing = .some(outgoing)
      self.frames = .some(frames)
    }
  }

  let memory: RecordingMemory
  let box: Box

  init(
    _ memory: RecordingMemory, _ outgoing: consuming SharedMemory.Outgoing,
    _ frames: consuming ZeroedFrames
  ) {
    self.memory = memory
    box = Box(outgoing, frames)
  }

  mutating func allocate(
    byteCount: UInt64, zeroed: Bool, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange {
    do throws(OutgoingHandoverError) {
      return try box.outgoing!.allocatePreserved(
        frameCount: byteCount / 4096, zeroed: zeroed, from: &box.frames!
      ) { announce($0.range(in: SharedMemory.geometry)) }.range(in: SharedMemory.geometry)
    } catch {
      throw .memory(.handover(error))
    }
  }

  mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PersistentCollectionError) {
    do throws(OutgoingHandoverError) {
      _ = try box.outgoing!.unpreserveAndFreeIfPreserved(
        FrameRange(covering: range, in: SharedMemory.geometry), into: &box.frames!)
    } catch {
      throw .memory(.handover(error))
    }
  }
}

/// Frames filled with zeros when they are taken, as a memory file's are.
struct ZeroedFrames: BlockSource, ~Copyable {
  private var buddy: BuddyAllocator<AnonymousMemory>
  private let memory: RecordingMemory

  init(buddy: consuming BuddyAllocator<AnonymousMemory>, memory: RecordingMemory) {
    self.buddy = buddy
    self.memory = memory
  }

  mutating func takeFrame() -> PhysicalAddress? {
    guard let block = buddy.takeBlock(.zero) else { return nil }
    memory.withWords(at: block.address, count: 512) { $0.clear() }
    return block.address
  }
  mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? { buddy.takeBlock(order) }
  mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? { buddy.takeFrames(frameCount) }
  mutating func giveBack(_ frame: PhysicalAddress) { buddy.giveBack(frame) }
  mutating func giveBack(_ frames: FrameRange) { buddy.giveBack(frames) }
}
