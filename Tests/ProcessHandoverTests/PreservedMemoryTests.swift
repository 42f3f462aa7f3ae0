import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// Memory that a process leaves and the next one finds, on every page size that memory files have.
@Suite(.namesCombination)
struct PreservedMemoryTests {
  static let geometries: [PageGeometry] = [.pages4KiB, .pages16KiB, .pages64KiB]

  @Test(arguments: geometries)
  func whatIsLeftIsFound(geometry: PageGeometry) throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    let text = Array("what the predecessor knew".utf8)
    let (block, run, areaBlocks) = try leave(text, at: path, geometry)

    var memory = try PreservedMemory.open(path)
    #expect(memory.origin == .adopted(generation: 1))
    #expect(memory.geometry == geometry)
    #expect(try memory.names() == ["text", "count", "scattered"])
    let region = try #require(try memory.region(named: "text"))
    #expect(memory.withBytes(of: region) { $0.copiedBytes() } == text)
    let count = try memory.value(named: "count", initially: 0 as UInt64)
    #expect(memory.load(count) == 17)
    #expect(try memory.blocks(ofArea: "scattered") == areaBlocks)
    #expect(memory.withBytes(of: run) { $0.byte(at: 5) } == 55)
    try memory.free(block)
    try memory.free(run)
    try memory.removeArea(named: "scattered")
    try memory.removeRegion(named: "text")
    try memory.removeRegion(named: "count")
    try expectNothingLost(&memory, inUse: [])
  }

  /// What a predecessor does, and its end.
  private func leave(
    _ text: [UInt8], at path: FilePath, _ geometry: PageGeometry
  ) throws -> (PhysicalBlock, PhysicalRange, [PhysicalBlock]) {
    var memory = try PreservedMemory(
      creating: .path(path), byteCount: 8 << 20, geometry: geometry)
    #expect(memory.origin == .created)
    try memory.makeRegion(named: "text", byteCount: UInt64(text.count)) { bytes in
      for (offset, byte) in text.enumerated() {
        bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
      }
    }
    let count = try memory.value(named: "count", initially: 1 as UInt64)
    memory.store(17, to: count)
    let block = try memory.allocate(PageOrder(3))
    let run = try memory.allocate(byteCount: UInt64(5 * geometry.pageByteCount - 7))
    memory.withMutableBytes(of: run) { $0.storeBytes(of: 55, toByteOffset: 5, as: UInt8.self) }
    try memory.makeArea(named: "scattered", blockCount: 7, order: PageOrder(1))
    return (block, run, try memory.blocks(ofArea: "scattered"))
  }

  /// Checks that free memory and memory in use are all there is.
  private func expectNothingLost(
    _ memory: inout PreservedMemory, inUse blocks: [PhysicalBlock]
  ) throws {
    let free = try memory.freeByteCount()
    let contents = try MemoryContents(reading: memory.file)
    let survey = try #require(contents.survey)
    let pages = try #require(survey.pages)
    #expect(survey.findings.filter { $0.severity > .note } == [])
    let page = UInt64(memory.geometry.pageByteCount)
    #expect(
      free + pages.preservedByteCount + pages.metadataByteCount + page == memory.byteCount)
    // The device tree's own block.
    #expect(pages.entryCount == UInt64(blocks.count) + 1)
  }

  @Test
  func secondWriterIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    let memory = try PreservedMemory.open(path)
    let before = try SuperblockContents(reading: memory.file).state.sequence
    do {
      _ = try PreservedMemory.open(path)
      Issue.record("a second writer was let in")
    } catch PreservedMemoryError.heldByAnother(.held(let holder)) {
      #expect(holder?.processID == ProcessIDs.own)
    }
    #expect(try SuperblockContents(reading: memory.file).state.sequence == before)
  }

  @Test(arguments: geometries)
  func fullFileKeepsWhatItHolds(geometry: PageGeometry) throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    let capacity = UInt64(256 * geometry.pageByteCount)
    var memory = try PreservedMemory(
      creating: .path(path), byteCount: capacity / 4, growableTo: capacity, geometry: geometry)
    var ranges: [PhysicalRange] = []
    var failure: PreservedMemoryError?
    while failure == nil {
      do throws(PreservedMemoryError) {
        let range = try memory.allocate(byteCount: UInt64(3 * geometry.pageByteCount))
        memory.withWords(of: range) { $0.publish(UInt64(ranges.count), at: 0) }
        ranges.append(range)
      } catch {
        failure = error
      }
    }
    #expect(failure == .full(frameCount: 3, byteCount: capacity))
    #expect(memory.byteCount == capacity)
    #expect(ranges.count >= 60)
    for (index, range) in ranges.enumerated() {
      let word = memory.withBytes(of: range) { $0.word(atByte: 0) }
      try #require(word == UInt64(index))
    }
    let contents = try MemoryContents(reading: memory.file)
    #expect(contents.survey?.errorCount == 0)
    #expect(contents.survey?.pages?.entryCount == UInt64(ranges.count * 2 + 1))
    for range in ranges { try memory.free(range) }
    try expectNothingLost(&memory, inUse: [])
  }

  @Test(arguments: geometries)
  func freshTakeoverKeepsWhatIsNamed(geometry: PageGeometry) throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    let text = Array("kept".utf8)
    let (block, run, areaBlocks) = try leave(text, at: path, geometry)

    var takeover = try FreshTakeover(of: try MemoryFile.open(path, growableTo: 1 << 30))
    #expect(takeover.names == ["text", "count", "scattered"])
    try takeover.keepRegion(named: "text")
    try takeover.keepArea(named: "scattered")
    try takeover.keep(run)
    #expect(throws: PreservedMemoryError.self) { try takeover.keep(run) }
    #expect(throws: PreservedMemoryError.noSuchName) {
      try takeover.keepRegion(named: "nothing")
    }
    var memory = try takeover.finish()
    #expect(memory.origin == .adopted(generation: 1))
    #expect(try memory.names() == ["text", "scattered"])
    #expect(try memory.blocks(ofArea: "scattered") == areaBlocks)
    #expect(throws: PreservedMemoryError.self) { try memory.free(block) }
    try memory.free(run)
    try memory.removeArea(named: "scattered")
    try memory.removeRegion(named: "text")
    try expectNothingLost(&memory, inUse: [])
  }

  @Test
  func droppedTakeoverChangesNothing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    _ = try leave(Array("kept".utf8), at: path, .pages4KiB)
    func begin() throws {
      var takeover = try FreshTakeover(of: try MemoryFile.open(path, growableTo: 1 << 30))
      try takeover.keepRegion(named: "text")
      let contents = try SuperblockContents(reading: takeover.file)
      #expect(contents.state.isBuildingNext)
    }
    try begin()
    let memory = try PreservedMemory.open(path)
    #expect(memory.generation == 2)
    #expect(try memory.names() == ["text", "count", "scattered"])
    #expect(try SuperblockContents(reading: memory.file).state.isBuildingNext == false)
    #expect(try MemoryContents(reading: memory.file).survey?.errorCount == 0)
  }

  /// A memfd of huge pages that a successor gets by its descriptor.
  @Test(
    .enabled(
      if: FullFileSystemTests.freePageCount(byteCount: 2 << 20) >= 8,
      "no free huge pages of 2 MiB configured"))
  func hugePages() throws {
    var kept: FileDescriptor?
    do {
      var memory = try PreservedMemory(
        creating: .memfd(name: "huge", pages: .huge2MiB), byteCount: 4 << 20,
        growableTo: 16 << 20)
      #expect(memory.file.storage == .hugetlbfs(pageByteCount: 2 << 20))
      let region = try memory.makeRegion(named: "large", byteCount: 6 << 20)
      memory.withWords(of: region) { $0.publish(99, at: (6 << 20) / 8 - 1) }
      kept = try memory.file.withDescriptor { try $0.duplicate() }
    }
    let descriptor = try #require(kept)
    var memory = try PreservedMemory(
      adopting: try MemoryFile.adopt(descriptor, growableTo: 16 << 20))
    let region = try #require(try memory.region(named: "large"))
    #expect(memory.withBytes(of: region) { $0.word(atByte: (6 << 20) - 8) } == 99)
    try memory.removeRegion(named: "large")
    try expectNothingLost(&memory, inUse: [])
  }
}
