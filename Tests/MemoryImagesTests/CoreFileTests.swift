import Foundation
import HandoverTestSupport
import MemoryAccess
import MemoryImages
import Platform
import SystemPackage
import Testing

@testable import MemoryImages

/// What is written is what is read back.
@Suite(.namesCombination) struct CoreFileTests {
  private final class Folder {
    let url = FileManager.default.temporaryDirectory.appending(path: "core-\(UUID().uuidString)")
    init() throws {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    }
    deinit { try? FileManager.default.removeItem(at: url) }
    var names: [String] {
      (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    }
    func path(_ name: String) -> FilePath { FilePath(url.appending(path: name).path) }
  }

  private func randomMap(_ random: inout SeededGenerator, below end: UInt64) -> MemoryMap {
    MemoryMap(
      (0..<Int.random(in: 0...8, using: &random)).map { _ in
        let start = UInt64.random(in: 0..<end, using: &random)
        return range(start, UInt64.random(in: 0...min(end - start, 9000), using: &random))
      })
  }

  private func contains(_ map: MemoryMap, _ address: UInt64) -> Bool {
    map.ranges.contains { $0.contains(PhysicalAddress(address)) }
  }

  @Test func maps() throws {
    try withEvery("seed", in: 0..<200 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      let first = randomMap(&random, below: 30_000)
      let second = randomMap(&random, below: 30_000)
      let both = first.intersection(second)
      for map in [first, second, both] {
        for (lower, upper) in zip(map.ranges, map.ranges.dropFirst()) {
          try #require(lower.last!.rawValue + 1 < upper.start.rawValue)
        }
      }
      for address in stride(from: 0, to: 40_000, by: 37) as StrideTo<UInt64> {
        try #require(
          contains(both, address) == (contains(first, address) && contains(second, address)))
      }
    }
    let top = MemoryMap([range(0 &- 4096, 4096), range(0, 4096), range(0 &- 8192, 8192)])
    #expect(top.ranges == [range(0, 4096), range(0 &- 8192, 8192)])
    #expect(top.intersection(top) == top)
    #expect(MemoryMap([range(0, .max), range(.max, 1)]).byteCount == .max)
  }

  @Test func readBack() throws {
    let folder = try Folder()
    try withEvery("seed", in: 0..<100 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      let size: UInt64 = 40_000
      var bytes = random.bytes(Int(size))
      for _ in 0..<2 {
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + 12_000)
        bytes.replaceSubrange(start..<end, with: repeatElement(0, count: end - start))
      }
      let source = try TemporaryFile(bytes)
      let memory = try RawImage(opening: source.path, base: .zero)
      let existing = MemoryMap(
        randomMap(&random, below: size).ranges + [range(seed * 300, 100)])
      var writer = CoreFileWriter(existing: existing, stored: randomMap(&random, below: size))
      writer.machine = .aarch64
      if seed % 2 == 0 { writer.vmcoreInfo = Array("PAGESIZE=65536\nSEED=\(seed)\n".utf8) }
      let path = folder.path("core")
      var last: UInt64 = 0
      try writer.write(to: path, replacing: seed > 0, from: memory) { last = $0 }
      try #require(last == writer.storedByteCount)

      let image = try MemoryImage.open(path, base: nil)
      try #require(image.existingMemory == existing)
      try #require(image.readableMemory == writer.stored)
      try #require(image.machine == .aarch64)
      try #require(image.vmcoreInfo == writer.vmcoreInfo)
      try #require(image.vmcoreInfoPageByteCount == (seed % 2 == 0 ? 65_536 : nil))
      for part in writer.stored.ranges {
        try #require(image.bytes(in: part) == memory.bytes(in: part))
      }
      try #require(folder.names == ["core"])
    }
  }

  /// From 65,535 segments on their number is elsewhere.
  @Test(arguments: [65_533, 65_534, 65_535, 70_000])
  func manySegments(count: Int) throws {
    let folder = try Folder()
    let existing = MemoryMap((0..<count).map { range(UInt64($0) * 8192, 4096) })
    var writer = CoreFileWriter(existing: existing, stored: MemoryMap([range(8192, 1)]))
    writer.vmcoreInfo = Array("A=1\n".utf8)
    let memory = try AnonymousMemory(range(0, 16_384))
    try writer.write(to: folder.path("core"), replacing: false, from: memory)
    let image = try ELFCoreImage(opening: folder.path("core"))
    #expect(image.segments.count == count)
    #expect(MemoryImage.elf(image).existingMemory == existing)
    #expect(image.bytes(in: range(8192, 1)) == [0])
    #expect(image.vmcoreInfo == Array("A=1\n".utf8))
  }

  @Test func failures() throws {
    let folder = try Folder()
    let memory = try AnonymousMemory(range(0, 8192))
    memory.withWords(at: .zero, count: 1) { $0.publish(1, at: 0) }
    let all = MemoryMap([range(0, 8192)])
    let writer = CoreFileWriter(existing: all, stored: all)
    for (call, error) in [
      (SystemCall.openUnnamed, CoreFileError.cannotCreate(.noSpace)),
      (.pwrite, .cannotWrite(.noSpace)),
      (.ftruncate, .cannotWrite(.noSpace)), (.fsync, .cannotWrite(.noSpace)),
      (.link, .cannotRename(.noSpace)),
    ] {
      CallWatcher(failing: [call: .noSpace]).watch {
        #expect(throws: error) {
          try writer.write(to: folder.path("core"), replacing: false, from: memory)
        }
      }
      #expect(folder.names == [])
    }
    CallWatcher(failing: [.rename: .noSpace]).watch {
      #expect(throws: CoreFileError.cannotRename(.noSpace)) {
        try writer.write(to: folder.path("core"), replacing: true, from: memory)
      }
    }
    #expect(folder.names == [])
    // Another process was faster.
    CallWatcher(failing: [.link: .fileExists]).watch {
      #expect(throws: CoreFileError.exists) {
        try writer.write(to: folder.path("core"), replacing: false, from: memory)
      }
    }
    let larger = MemoryMap([range(0, 8193)])
    #expect(throws: CoreFileError.cannotRead(range(0, 8193))) {
      try CoreFileWriter(existing: larger, stored: larger).write(
        to: folder.path("core"), replacing: false, from: memory)
    }
    #expect(folder.names == [])
    try writer.write(to: folder.path("core"), replacing: false, from: memory)
    #expect(throws: CoreFileError.exists) {
      try writer.write(to: folder.path("core"), replacing: false, from: memory)
    }
  }
}
