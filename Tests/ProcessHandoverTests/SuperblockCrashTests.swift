import HandoverTestSupport
import KexecHandover
import Testing

@testable import ProcessHandover

/// A process that is killed after any store of any operation on a memory file: the file is sound as it
/// is stored there, and a process that takes it over has the state before the operation or the one after it.
@Suite(.namesCombination)
struct SuperblockCrashTests {
  @Test(arguments: MemoryFileBench.operations.keys.sorted())
  func everyStore(of name: String) throws {
    let operation = try #require(MemoryFileBench.operations[name])
    var bench = try MemoryFileBench(byteCount: 96 * 4096)
    let before = try bench.state()
    let snapshot = bench.memory.base.snapshot(of: bench.memory.base.range)
    let events = try bench.memory.journal.recording { try operation(&bench) }
    let after = try bench.state()
    let isChanged = before != after
    #expect(isChanged)

    let copy = RecordingMemory(try AnonymousMemory(bench.memory.base.range))
    copy.base.withWords(at: .zero, count: snapshot.count) { words in
      for index in snapshot.indices where snapshot[index] != 0 {
        words.publish(snapshot[index], at: index)
      }
    }
    var completedCount = 0
    var storeCount = 0
    for case .stores(let changes) in events {
      for change in changes {
        copy.base.apply(CollectionOfOne(change))
        storeCount += 1
        try withCombination("store", storeCount) {
          if try check(copy, before, after) { completedCount += 1 }
        }
      }
    }
    let last = try MemoryFileBench.state(of: copy)
    #expect(last.differences(from: after) == [])
    #expect(storeCount > 0)
    // Where more than one bit changes, there is a time at which the record decides.
    if !MemoryFileBench.singleStores.contains(name) { #expect(completedCount > 0) }
  }

  /// Nodes move to other pages: after each store, the handover is the same as before.
  @Test func everyStoreOfMovedNodes() throws {
    var bench = try MemoryFileBench(byteCount: 96 * 4096)
    let before = try bench.state()
    let copy = try bench.memory.copy()
    var movedCount: UInt64 = 0
    let events = bench.memory.journal.recording {
      movedCount = bench.outgoing.tree.moveNodes(using: &bench.frames) { _, frames in
        frames.takeFrame()
      }
    }
    #expect(movedCount > 4)
    for case .stores(let changes) in events {
      for change in changes {
        copy.base.apply(CollectionOfOne(change))
        try MemoryContents(reading: copy).requireSound()
        let differences = try MemoryFileBench.state(of: copy).differences(from: before)
        try #require(differences == [])
      }
    }
    #expect(try bench.state().differences(from: before) == [])
    // The tree goes on at its new places.
    try bench.outgoing.unpreserveAndFree(bench.run, into: &bench.frames)
    _ = try bench.outgoing.allocatePreserved(frameCount: 30, from: &bench.frames)
    try MemoryContents(reading: bench.memory).requireSound()
  }

  /// A file that gets its first feature: after each store, the header is that of the old layout or of the
  /// new one; and a program that only knows layout 1 reads one of the two, or refuses the header.
  @Test func everyStoreOfAFirstFeature() throws {
    let memory = RecordingMemory(
      try AnonymousMemory(PhysicalRange(start: .zero, byteCount: 16 * 4096)))
    var superblock = Superblock(
      formatting: memory, geometry: .pages4KiB, byteCount: 16 * 4096,
      identity: MemoryFileIdentity(high: 5, low: 6))
    let copy = RecordingMemory(try AnonymousMemory(memory.base.range))
    let snapshot = memory.base.snapshot(of: memory.base.range)
    copy.base.withWords(at: .zero, count: snapshot.count) { words in
      for index in snapshot.indices { words.publish(snapshot[index], at: index) }
    }
    let events = memory.journal.recording {
      superblock.require(feature: SuperblockLayout.ledgerFeature)
    }
    var found: [UInt64] = []
    for case .stores(let changes) in events {
      for change in changes {
        copy.base.apply(CollectionOfOne(change))
        let contents = try SuperblockContents(reading: copy)
        #expect(contents.layoutVersion == 1 + contents.features)
        #expect(contents.identity == MemoryFileIdentity(high: 5, low: 6))
        found.append(contents.features)
        // The next process completes it, whatever was stored.
        let stores = try copy.journal.recording {
          var next = try Superblock(reading: copy)
          next.require(feature: SuperblockLayout.ledgerFeature)
          #expect(try SuperblockContents(reading: copy).features == 1)
        }
        copy.base.undo(stores)
      }
    }
    #expect(found == [0, 0, 1])
    // Another feature is refused by its bit.
    superblock.require(feature: 1 << 40)
    #expect(throws: SuperblockError.featuresUnknown(1 << 40)) {
      _ = try SuperblockContents(reading: memory)
    }
    #expect(SuperblockError.featuresUnknown(1 << 40).sentence.contains("0x10000000000"))
  }

  /// What a stranger and a successor find; whether the successor had something to complete.
  private func check(
    _ memory: RecordingMemory, _ before: HandoverState, _ after: HandoverState
  ) throws -> Bool {
    let contents = try MemoryContents(reading: memory)
    try contents.requireSound()
    let isPending = contents.superblock.state.change != nil
    var found: HandoverState?
    let events = try memory.journal.recording {
      let adopted = try AdoptedHandover(contents, in: memory)
      try #require(adopted.outgoing.anchor.state.change == nil)
      try #require(!adopted.outgoing.anchor.state.isBuildingNext)
      found = try MemoryFileBench.state(of: memory)
    }
    memory.base.undo(events)
    // The states are large, so a failure shows only what differs.
    let state = try #require(found)
    let isBefore = state == before
    let isAfter = state == after
    try #require(isBefore || isAfter, "\(state.differences(from: before))")
    if isPending, !contents.superblock.state.isBuildingNext {
      try #require(isAfter, "\(state.differences(from: after))")
    }
    return isPending
  }
}
