import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import ProcessHandover

/// Every operation with room for ever more frames, until it succeeds: before that, nothing changes.
@Suite(.namesCombination) struct PreservedMemoryFailureTests {
  private struct Operation: Sendable {
    let name: String
    let run: @Sendable (inout PreservedMemory, PreservedMemoryBench) throws -> Void
  }

  private static let operations = [
    Operation(name: "run") { memory, bench in
      _ = try memory.allocate(byteCount: 21 * UInt64(bench.geometry.pageByteCount))
    },
    Operation(name: "announced run") { memory, bench in
      var announced: [PhysicalRange] = []
      do {
        let made = try memory.allocate(byteCount: 21 * UInt64(bench.geometry.pageByteCount)) {
          announced.append($0)
        }
        #expect(announced == [made])
      } catch {
        #expect(announced == [])
        throw error
      }
    },
    Operation(name: "block") { memory, _ in _ = try memory.allocate(PageOrder(5)) },
    Operation(name: "region") { memory, bench in
      try memory.makeRegion(
        named: "new", byteCount: 13 * UInt64(bench.geometry.pageByteCount))
    },
    Operation(name: "value") { memory, _ in
      _ = try memory.value(named: "new", initially: 1 as UInt64)
    },
    Operation(name: "replace") { memory, bench in
      try memory.replaceRegion(
        named: "text", byteCount: 9 * UInt64(bench.geometry.pageByteCount))
    },
    Operation(name: "name") { memory, bench in try memory.name(bench.run, "run") },
    Operation(name: "remove name") { memory, _ in try memory.removeName("text") },
    Operation(name: "remove region") { memory, _ in try memory.removeRegion(named: "text") },
    Operation(name: "area") { memory, _ in
      try memory.makeArea(named: "new", blockCount: 7, order: PageOrder(2))
    },
    Operation(name: "remove area") { memory, _ in try memory.removeArea(named: "scattered") },
  ]

  @Test(arguments: PreservedMemoryBench.geometries)
  func storageFailsAtEveryTake(geometry: PageGeometry) throws {
    for operation in Self.operations {
      try withCombination("operation", operation.name) {
        var takeCount = 0
        while try !runs(operation, takeCount: takeCount, geometry) { takeCount += 1 }
        try #require(takeCount > 0)
      }
    }
  }

  /// Whether that many takes suffice; checks that nothing has changed where they do not.
  private func runs(
    _ operation: Operation, takeCount: Int, _ geometry: PageGeometry
  ) throws -> Bool {
    try withResult("takes", takeCount) {
      let bench = try PreservedMemoryBench(geometry)
      let limit = StorageLimit(takeCount: takeCount)
      do {
        var memory = try bench.open()
        // No chunk gets storage as a whole, also not for the block that is set aside.
        let before = try StorageLimit(takeCount: .max).impose {
          try PreservedMemoryState(of: &memory)
        }
        do {
          try limit.impose { try operation.run(&memory, bench) }
          // A removal has a block that was set aside.
          try #require(!limit.wasReached || operation.name.hasPrefix("remove"))
        } catch PreservedMemoryError.outOfStorage(.outOfSpace) {
          try #require(limit.wasReached)
          try #require(try PreservedMemoryState(of: &memory) == before)
          // Once there is room, it goes on.
          try operation.run(&memory, bench)
        }
        _ = try PreservedMemoryState(of: &memory)
      }
      _ = try bench.state()
      return !limit.wasReached
    }
  }

  @Test(arguments: PreservedMemoryBench.geometries)
  func fullAtEveryTake(geometry: PageGeometry) throws {
    for operation in Self.operations {
      try withCombination("operation", operation.name) {
        var frameCount = 0
        while try !fits(operation, frameCount: frameCount, geometry) { frameCount += 1 }
        // A removal has a block that was set aside.
        try #require(frameCount > 0 || operation.name.hasPrefix("remove"))
      }
    }
  }

  /// Whether the operation succeeds where so many frames are free, the last ones of the file.
  private func fits(
    _ operation: Operation, frameCount: Int, _ geometry: PageGeometry
  ) throws -> Bool {
    try withResult("frames", frameCount) {
      let bench = try PreservedMemoryBench(geometry)
      var memory = try bench.open()
      // What is taken here is in memory in the order in which it is taken.
      var taken: [PhysicalBlock] = []
      while let block = try? memory.allocate(.zero) { taken.append(block) }
      let spare = try memory.freeByteCount()
      taken.sort()
      for block in taken.suffix(frameCount) { try memory.free(block) }
      let before = try PreservedMemoryState(of: &memory)
      #expect(
        before.freeByteCount == spare + UInt64(frameCount * geometry.pageByteCount))
      do {
        try operation.run(&memory, bench)
      } catch PreservedMemoryError.full(let wanted, memory.byteCount) where wanted > 0 {
        try #require(try PreservedMemoryState(of: &memory) == before)
        return false
      }
      _ = try PreservedMemoryState(of: &memory)
      return true
    }
  }

  /// A failure of storage says nothing about a later lack of frames.
  @Test func anOldFailureIsForgotten() throws {
    let bench = try PreservedMemoryBench(.pages4KiB)
    let byteCount = 96 * UInt64(bench.geometry.pageByteCount)
    var memory = try PreservedMemory(
      adopting: try MemoryFile.open(bench.path, growableTo: 4 * byteCount))
    #expect(throws: PreservedMemoryError.outOfStorage(.outOfSpace)) {
      try StorageLimit(takeCount: 0).impose { _ = try memory.allocate(.zero) }
    }
    try StorageLimit(takeCount: .max).impose {
      _ = try memory.allocate(byteCount: byteCount)
    }
    #expect(memory.byteCount > byteCount)
    #expect(throws: PreservedMemoryError.outOfStorage(.outOfSpace)) {
      try StorageLimit(takeCount: 0).impose { _ = try memory.allocate(.zero) }
    }
    #expect(throws: PreservedMemoryError.full(frameCount: 384, byteCount: 4 * byteCount)) {
      _ = try memory.allocate(byteCount: 4 * byteCount)
    }
    _ = try PreservedMemoryState(of: &memory)
  }

  @Test(arguments: PreservedMemoryBench.geometries)
  func newMemoryWithoutStorage(geometry: PageGeometry) throws {
    let folder = try TemporaryFolder()
    let place = MemoryFilePlace.path(folder.path.appending("memory"))
    var takeCount = 0
    while true {
      let limit = StorageLimit(takeCount: takeCount)
      do {
        try limit.impose {
          _ = try PreservedMemory(creating: place, byteCount: 1 << 20, geometry: geometry)
        }
        break
      } catch PreservedMemoryError.outOfStorage(.outOfSpace) where takeCount > 0 {
      } catch PreservedMemoryError.file(.outOfSpace) where takeCount == 0 {
      }
      try #require(folder.names == [])
      takeCount += 1
    }
    // The superblock, the root, the device tree and the nodes for its bit.
    #expect(takeCount > 3)
    #expect(folder.names == ["memory"])
  }
}

/// ``withCombination(_:_:_:)`` for a body with a result.
func withResult<Result>(
  _ label: String, _ value: any Sendable, _ body: () throws -> Result
) throws -> Result {
  var result: Result?
  try withCombination(label, value) { result = try body() }
  return try #require(result)
}
