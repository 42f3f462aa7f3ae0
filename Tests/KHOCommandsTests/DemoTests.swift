import Foundation
import Testing

struct DemoJSON: Decodable {
  let schema: String
  let seed: UInt64
  let memoryBytes: UInt64
  let milliseconds: UInt64
  let killedGeneration: UInt64
  let generations: [Generation]
  let isIntact: Bool
  let error: String?

  struct Generation: Decodable {
    let generation: UInt64
    let processID: UInt64
    let how: String
    let entryCount: UInt64?
    let preservedBytes: UInt64?
    let metadataBytes: UInt64?
    let checksumCount: UInt64
    let checkedBytes: UInt64
    let firstByteNanoseconds: UInt64?
    let allBytesNanoseconds: UInt64?
    let freedBlockCount: UInt64
  }
}

@Suite(.serialized) struct DemoTests {
  @Test func everyGenerationFindsEverything() throws {
    let run = try builtKHO(
      "demo", "--memory", "16M", "--generations", "3", "--seed", "7", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors == "")
    let report: DemoJSON = try run.json()
    #expect(report.schema == "kho-demo/2")
    #expect(report.seed == 7)
    #expect(report.memoryBytes == 16 << 20)
    #expect(report.isIntact)
    #expect(report.error == nil)
    #expect(report.killedGeneration == 3)
    #expect(report.generations.map(\.generation) == [1, 2, 3, 4])
    #expect(report.generations.map(\.how) == ["filled", "exec", "exec", "adopted"])
    // Exec keeps the process; the one after the kill is another.
    #expect(Set(report.generations.prefix(3).map(\.processID)).count == 1)
    #expect(report.generations[3].processID != report.generations[2].processID)
    for row in report.generations {
      #expect((row.checksumCount > 0) == (row.generation > 1))
      #expect((row.firstByteNanoseconds != nil) == (row.generation > 1))
      #expect((row.allBytesNanoseconds != nil) == (row.generation > 1))
      #expect((row.entryCount != nil) == (row.generation != 3))
    }
    // The first fills two fifths at least, also if the largest blocks do not fit.
    #expect(report.generations[0].preservedBytes ?? 0 > 16 << 20 * 2 / 5)
  }

  @Test func theFileThatIsLeftIsSoundAndHoldsWhatTheTableSays() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("memory")
    let run = try builtKHO("demo", "--memory", "16M", "--generations", "2", "--file", path)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text.contains("GENERATION"))
    #expect(run.text.contains("checksums held"))
    #expect(kho("check", path).status == 0)
    let report: InspectJSON = try kho("inspect", "--json", path).json()
    let handover = try #require(report.handovers.first)
    #expect(run.text.contains("the memory went through 1 exec and a kill -9, and nothing of it"))
    #expect(run.text.contains(" in \(handover.entryCount) blocks at the end; all "))
    #expect(handover.subtrees.contains { $0.name == "demo-area" })
    // A file that is there is not written over.
    let again = kho("demo", "--memory", "16M", "--file", path)
    #expect(again.status == 4)
    #expect(again.errors.contains("the file exists"))
  }

  @Test func wrongCommandLines() {
    for arguments in [
      ["--memory", "1M"], ["--memory", "2T"], ["--generations", "1"], ["--generations", "31"],
      ["--seed", "x"], ["file"],
    ] {
      #expect(CommandRun(["demo"] + arguments).status == 2, "\(arguments)")
    }
    let alone = kho("demo-worker", "--killed", "2", "--capacity", "1", "--seed", "1")
    #expect(alone.status == 3)
    #expect(alone.errors == "kho: `kho demo` starts this command\n")
  }
}
