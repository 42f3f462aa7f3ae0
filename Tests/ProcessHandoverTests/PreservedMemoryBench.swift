import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// What a memory file holds, as a successor and the allocator see it.
struct PreservedMemoryState: Equatable {
  let handover: HandoverState
  let names: [String]
  /// What is in every entry but the device tree's.
  let bytes: [PhysicalBlock: [UInt8]]
  let freeByteCount: UInt64

  /// Looks at all of it, and checks that it is sound and that nothing is lost.
  init(of memory: inout PreservedMemory, checkingBytes checksBytes: Bool = true) throws {
    freeByteCount = try memory.freeByteCount()
    names = try memory.names()
    let contents = try MemoryContents(reading: memory.file)
    #expect(contents.isDeviceTreeSound)
    let deviceTree = contents.superblock.state.deviceTree
    let found = try SurveyedHandover(at: deviceTree, in: memory.file, geometry: memory.geometry)
    let survey = try #require(contents.survey)
    #expect(survey.findings.filter { $0.severity > .note } == [])
    #expect(survey.checkRecords(in: memory.file).findings == [])
    let pages = try #require(survey.pages)
    try #require(
      freeByteCount + pages.preservedByteCount + pages.metadataByteCount
        + UInt64(memory.geometry.pageByteCount) == memory.byteCount)
    handover = found.state
    var bytes: [PhysicalBlock: [UInt8]] = [:]
    for entry in found.state.entries where checksBytes && entry.address != deviceTree {
      bytes[entry] = memory.withBytes(of: entry.range(in: memory.geometry)) { $0.copiedBytes() }
    }
    self.bytes = bytes
  }
}

/// A memory file that holds a little of everything.
struct PreservedMemoryBench {
  let folder: TemporaryFolder
  let geometry: PageGeometry
  let block: PhysicalBlock
  /// Single pages; most of them follow each other.
  let blocks: [PhysicalBlock]
  let run: PhysicalRange

  var path: FilePath { folder.path.appending("memory") }

  static let geometries: [PageGeometry] = [.pages4KiB, .pages16KiB, .pages64KiB]

  /// What a predecessor leaves, in a file of `pageCount` pages that does not grow, and `blockCount` single
  /// pages beside it.
  init(_ geometry: PageGeometry, pageCount: UInt64 = 96, blockCount: Int = 0) throws {
    self.geometry = geometry
    folder = try TemporaryFolder(in: TemporaryFolder.parents[0])
    let byteCount = pageCount * UInt64(geometry.pageByteCount)
    var memory = try PreservedMemory(
      creating: .path(folder.path.appending("memory")), byteCount: byteCount,
      growableTo: byteCount, geometry: geometry)
    try memory.makeRegion(named: "text", byteCount: 6000) {
      for offset in 0..<6000 {
        $0.storeBytes(of: UInt8(offset % 251), toByteOffset: offset, as: UInt8.self)
      }
    }
    _ = try memory.value(named: "count", initially: 17 as UInt64)
    try memory.makeArea(named: "scattered", blockCount: 5)
    block = try memory.allocate(.zero)
    run = try memory.allocate(byteCount: 3 * UInt64(geometry.pageByteCount))
    blocks = try (0..<blockCount).map { _ in try memory.allocate(.zero) }
    for range in [block.range(in: geometry), run] {
      memory.withWords(of: range) { $0.publish(range.start.rawValue, at: 1) }
    }
  }

  /// Opens the file as the next process does, which may not let it grow.
  func open() throws -> PreservedMemory {
    try PreservedMemory(adopting: file())
  }

  func file() throws -> MemoryFile { try MemoryFile.open(path) }

  /// Opens the file to check it, and closes it.
  func state() throws -> PreservedMemoryState {
    var memory = try open()
    return try PreservedMemoryState(of: &memory)
  }
}
