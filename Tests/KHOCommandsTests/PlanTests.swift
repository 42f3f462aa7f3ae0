import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import KHOCommands

private struct PlanJSON: Decodable {
  let schema: String
  let memoryBytes: UInt64?
  let workload: Workload?
  let scratch: Areas?
  let recommendation: Recommendation?
  let walk: Walk?

  struct Workload: Decodable {
    let path: String?
    let fdtAddress: UInt64?
    let blockCountByOrder: [String: UInt64]
    let preservedBytes: UInt64
    let fragmentationMillionths: UInt64?
    let treeBytes: UInt64
    let nodeCountByLevel: [UInt64]
    let imageNodeCountByLevel: [UInt64]?
    let v1PageBitmaps: ChunkList
    let v1SmallBitmaps: ChunkList
    let rangeCount: UInt64
    let rangeListBytes: UInt64
    let crossoverRangeCount: UInt64
    let crossoverFragmentationMillionths: UInt64?
  }

  struct ChunkList: Decodable {
    let bitmapCount: UInt64
    let chunkCount: UInt64
    let bytes: UInt64
  }

  struct Areas: Decodable {
    let bytes: UInt64
    let areas: [Area]
  }

  struct Area: Decodable {
    let name: String
    let address: UInt64
    let bytes: UInt64
  }

  struct Recommendation: Decodable {
    let option: String
    let reasons: [String]
    let scratch: Areas
  }

  struct Walk: Decodable {
    let nanoseconds: UInt64?
    let picosecondsPerNode: UInt64
    let picosecondsPerRun: UInt64
  }
}

private func plan(_ arguments: String...) throws -> PlanJSON {
  let run = CommandRun(["plan", "--json"] + arguments)
  try #require(run.status == 0, "\(run.errors)")
  return try run.json()
}

@Suite(.namesCombination) struct PlanTests {
  /// Of an image: what it holds, and what the other forms would take for the same blocks.
  @Test(arguments: Fixture.all) func images(_ fixture: Fixture) throws {
    let expected = try #require(
      try fixture.expectations().handovers.first { $0.readable == true })
    let report = try plan("--from", fixture.path)
    let workload = try #require(report.workload)
    #expect(report.schema == "kho-plan/2" && report.walk == nil && report.scratch == nil)
    #expect(workload.fdtAddress == expected.fdtAddress)
    #expect(workload.blockCountByOrder == expected.orders)
    #expect(workload.preservedBytes == expected.preservedBytes)
    let nodes = try #require(expected.nodesByLevel)
    if expected.compatible == "kho-v1" {
      #expect(workload.imageNodeCountByLevel == nil)
      #expect([workload.v1PageBitmaps.bitmapCount, workload.v1PageBitmaps.chunkCount] == nodes)
    } else {
      #expect(workload.imageNodeCountByLevel == nodes)
      // Some that the kernel left are empty; none is missing.
      for (needed, there) in zip(workload.nodeCountByLevel, nodes) { #expect(needed <= there) }
    }
    #expect(workload.treeBytes == workload.nodeCountByLevel.reduce(0, +) * 4096)

    // The same entries, marked in a tree afresh.
    let image = try HandoverImage.open(FilePath(fixture.path))
    let survey = try #require(image.surveys.first { $0.error == nil })
    var bench = try TreeBench(shift: 12)
    var rangeCount: UInt64 = 0
    var ends: [PageOrder: UInt64] = [:]
    try survey.pages?.forEachBlock(in: image.memory) { (block) throws in
      try bench.insert(RadixKey(block, in: .pages4KiB).rawValue)
      let end = block.address.rawValue + survey.geometry.blockByteCount(block.order)
      if ends[block.order] != block.address.rawValue { rangeCount += 1 }
      ends[block.order] = end
    }
    #expect(bench.survey.nodeCountByLevel == workload.nodeCountByLevel)
    #expect(workload.rangeCount == rangeCount && workload.rangeListBytes == rangeCount * 16)
    #expect(workload.crossoverRangeCount == workload.treeBytes / 16)
  }

  @Test func models() throws {
    let report = try plan("--memory", "16G", "--blocks", "0:2097152", "--fragmentation", "1")
    let workload = try #require(report.workload)
    // FormatTree.md: 512 KiB of leaves cover 16 GiB of single pages.
    #expect(workload.nodeCountByLevel[0] * 4096 == 512 << 10)
    #expect(workload.rangeCount == 2_097_152 && workload.rangeListBytes == 32 << 20)
    #expect(workload.preservedBytes == 8 << 30)
    let crossover = try #require(workload.crossoverFragmentationMillionths)
    func isTreeSmaller(_ millionths: UInt64) throws -> Bool {
      let fragmentation = String(format: "%.6f", Double(millionths) / 1_000_000)
      let workload = try #require(
        try plan(
          "--memory", "16G", "--blocks", "0:2097152", "--fragmentation", fragmentation
        ).workload)
      return workload.treeBytes <= workload.rangeListBytes
    }
    #expect(try isTreeSmaller(crossover + 1))
    #expect(try !isTreeSmaller(crossover - 1000))
    // One block is one range, and six nodes.
    let one = try #require(try plan("--memory", "16G", "--blocks", "0:1").workload)
    #expect(
      one.crossoverFragmentationMillionths == nil && one.nodeCountByLevel == [1, 1, 1, 1, 1, 1])
    // Both orders of a big machine; 1 GiB blocks fit into one leaf.
    let mixed = try #require(
      try plan("--memory", "4T", "--blocks", "18:1000,0:1000", "--fragmentation", "0.5").workload)
    #expect(mixed.blockCountByOrder == ["18": 1000, "0": 1000])
    let text = kho("plan", "--memory", "16G", "--blocks", "0:2097152", "--fragmentation", "1")
    #expect(text.text.contains("list of ranges") && !text.text.contains("a walk"))
  }

  @Test func scratch() throws {
    let report = try plan("--memory", "64G", "--nodes", "2", "--kho-scratch", "100M,1G,512M")
    let scratch = try #require(report.scratch)
    #expect(scratch.areas.map(\.name) == ["low", "global", "node 0", "node 1"])
    #expect(scratch.areas.map(\.bytes) == [100 << 20, 1 << 30, 512 << 20, 512 << 20])
    #expect(scratch.bytes == scratch.areas.reduce(0) { $0 + $1.bytes })
    #expect(scratch.areas[0].address + scratch.areas[0].bytes <= 4 << 30)
    #expect(scratch.areas[2].address + scratch.areas[2].bytes <= 32 << 30)
    #expect(scratch.areas[3].address >= 32 << 30)
    #expect(report.recommendation == nil)
  }

  @Test func recommendation() throws {
    let report = try plan(
      "--memory", "64G", "--nodes", "2", "--boot-memory", "300M,3G", "--payload", "50M",
      "--kho-scratch", "200%")
    let recommendation = try #require(report.recommendation)
    // Twice 300 MiB; twice 3 GiB and 52 MiB for what is loaded; on each node twice its half of all but
    // the 66 MiB that no node is named for: bounce buffers, their slots, and the log's buffer.
    #expect(recommendation.option == "kho_scratch=600M,6196M,3308M")
    #expect(recommendation.reasons.count == 4)
    let names = ["low", "global", "node 0", "node 1"]
    #expect(recommendation.scratch.areas.map(\.name) == names)
    let standard = try #require(report.scratch)
    #expect(standard.areas.map(\.bytes) == [600 << 20, 6144 << 20, 3308 << 20, 3308 << 20])
    // What is recommended is what the option makes.
    let value = String(recommendation.option.dropFirst("kho_scratch=".count))
    let again = try plan("--memory", "64G", "--nodes", "2", "--kho-scratch", value)
    #expect(again.scratch?.bytes == recommendation.scratch.bytes)
  }

  @Test func calibration() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("calibration")
    let measured = try plan("--calibrate", "--calibration", path)
    let walk = try #require(measured.walk)
    #expect(walk.nanoseconds == nil && walk.picosecondsPerNode + walk.picosecondsPerRun > 0)
    let fixture = Fixture(name: "linux-7.3-kho-v4").path
    let used = try #require(try plan("--calibration", path, "--from", fixture).walk)
    #expect(used.picosecondsPerNode == walk.picosecondsPerNode && used.nanoseconds != nil)
    #expect(kho("plan", "--calibration", path, "--from", fixture).text.contains("a walk over"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["calibration"])

    for bytes in [[], Array("{}".utf8), Array(#"{"schema":"kho-calibration/2"}"#.utf8)] {
      let bad = try folder.write(bytes, "bad")
      let run = kho("plan", "--calibration", bad, "--from", fixture)
      #expect(run.status == 3 && run.errors.contains("no calibration"))
    }
    let nowhere = kho("plan", "--calibrate", "--calibration", folder.path("no/where"))
    #expect(nowhere.status == 4 && nowhere.errors.contains("cannot be made"))
  }

  @Test func refusals() {
    for arguments in [
      [], ["--memory", "16G"], ["--blocks", "0:1"], ["--kho-scratch", "1M,1M,1M"],
      ["--memory", "1G", "--blocks", "0:0"], ["--memory", "1G", "--blocks", "0:1,0:2"],
      ["--memory", "1G", "--blocks", "52:1"], ["--memory", "1G", "--blocks", "x"],
      ["--memory", "1G", "--blocks", "0:1", "--fragmentation", "1.1"],
      ["--memory", "1G", "--blocks", "0:1", "--fragmentation", "nan"],
      ["--memory", "1G", "--blocks", "0:1", "--nodes", "17"],
      ["--memory", "1G", "--kho-scratch", "200%"], ["--memory", "1G", "--kho-scratch", "0,0,0"],
      ["--memory", "1M", "--calibrate"], ["--calibrate", "--fdt-address", "0"],
      ["--memory", "1G", "--boot-memory", "1M"],
      ["--memory", "1G", "--blocks", "0:1", "--from", "a"],
    ] {
      #expect(CommandRun(["plan"] + arguments).status == 2, "\(arguments)")
    }
    for arguments in [
      ["--memory", "1G", "--blocks", "0:1000000"], ["--memory", "1G", "--blocks", "51:1"],
      ["--memory", "1G", "--blocks", "51:1", "--page-size", "64K"],
      ["--memory", "1G", "--kho-scratch", "2G,0,0"], ["--memory", "1G", "--boot-memory", "0,1G"],
      ["--memory", "1G", "--boot-memory", "900M,0"], ["--from", "/nonexistent"],
    ] {
      let run = CommandRun(["plan"] + arguments)
      let status: Int32 = arguments[0] == "--from" ? 3 : 1
      #expect(run.status == status && run.output.isEmpty && !run.errors.isEmpty, "\(arguments)")
    }
  }
}
