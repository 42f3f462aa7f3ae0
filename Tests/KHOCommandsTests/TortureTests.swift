import Foundation
import Testing

struct TortureJSON: Decodable {
  let schema: String
  let seed: UInt64
  let memoryBytes: UInt64
  let killCount: UInt64
  let milliseconds: UInt64
  let fileCount: UInt64
  let operationCount: UInt64
  let refusedCount: UInt64
  let comparedBytes: UInt64
  let completedChangeCount: UInt64
  let freedAllocationCount: UInt64
  let betweenCount: UInt64
  let inside: [Landing]
  let error: String?

  struct Landing: Decodable {
    let operation: String
    let beforeCount: UInt64
    let recordedCount: UInt64
    let switchedCount: UInt64
    let insideCount: UInt64
    let afterCount: UInt64

    var count: UInt64 { beforeCount + recordedCount + switchedCount + insideCount + afterCount }
  }
}

@Suite(.serialized) struct TortureTests {
  @Test func nothingIsLostAndEveryKillIsCounted() throws {
    let folder = try TemporaryFolder()
    let seed = UInt64.random(in: 0 ... .max)
    let run = try torture(
      folder.path("memory"), "--kills", "25", "--seed", "\(seed)", "--memory", "1M",
      "--json")
    #expect(run.status == 0, "seed \(seed): \(run.errors)")
    #expect(run.errors == "", "seed \(seed)")
    let report: TortureJSON = try run.json()
    #expect(report.schema == "kho-torture/2")
    #expect(report.seed == seed)
    #expect(report.memoryBytes == 1 << 20)
    #expect(report.killCount == 25)
    #expect(report.betweenCount + report.inside.reduce(0) { $0 + $1.count } == 25)
    #expect(report.operationCount > 0)
    #expect(report.error == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
  }

  @Test func whatIsKeptCanBeReadAndTakenAgain() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("memory")
    let first = try torture(path, "--kills", "3", "--memory", "1M", "--keep")
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.text.contains("nothing lost, nothing torn, nothing leaked"))
    #expect(kho("check", path).status == 0)
    // An earlier run's files are replaced.
    #expect(try torture(path, "--kills", "3", "--memory", "1M").status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
  }

  @Test func theFileOfSomebodyElseIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    let bytes = [UInt8]("do not touch".utf8)
    for name in ["memory", "other.journal"] {
      let path = try folder.write(bytes, name)
      let memory = name == "memory" ? path : folder.path("other")
      let run = try torture(memory, "--kills", "1")
      #expect(run.status == 3)
      #expect(
        run.errors.hasPrefix("kho-torture: \(path): the file exists"), "\(run.errors)")
      #expect(try Data(contentsOf: URL(filePath: path)) == Data(bytes))
    }
    // A journal that a run left, beside a file that is not a memory file.
    let other = try TemporaryFolder()
    let path = other.path("memory")
    #expect(try torture(path, "--kills", "1", "--memory", "1M", "--keep").status == 0)
    try Data(bytes).write(to: URL(filePath: path))
    #expect(try torture(path, "--kills", "1").status == 3)
    #expect(try Data(contentsOf: URL(filePath: path)) == Data(bytes))
  }

  @Test func wrongCommandLines() throws {
    for arguments in [
      [], ["--kills", "0", "f"], ["--memory", "1K", "f"], ["--memory", "2T", "f"],
      ["--seed", "-1", "f"], ["a", "b"],
    ] {
      #expect(
        try BuiltTool(named: "kho-torture", arguments).status == 2, "\(arguments)")
    }
    #expect(try !torture("--help").text.contains("worker"))
    #expect(!kho("--help").text.contains("torture"))
  }

  /// Stores of two, three and ten collections: whatever was killed, the successor finds each change completely
  /// or not at all, in whatever order it opens the collections.
  @Test(arguments: [2, 3, 10])
  func storesLoseNothing(collectionCount: Int) throws {
    let folder = try TemporaryFolder()
    let seed = UInt64.random(in: 0 ... .max)
    let run = try torture(
      "store", folder.path("store"), "--kills", "12", "--seed", "\(seed)", "--collections",
      "\(collectionCount)")
    #expect(run.status == 0, "seed \(seed): \(run.errors)")
    #expect(run.errors == "", "seed \(seed)")
    #expect(run.text.hasPrefix("12 processes were killed in "))
    #expect(
      run.text.hasSuffix("nothing lost, nothing torn, nothing leaked, nothing given twice\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
    let path = try folder.write([1], "store")
    #expect(try torture("store", path, "--kills", "1").status == 3)
    #expect(try Data(contentsOf: URL(filePath: path)) == Data([1]))
  }

  @Test func aWorkerWantsAJournal() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([1, 2, 3], "journal")
    let run = try torture("worker", path, folder.path("memory"))
    #expect(run.status == 3)
    #expect(run.errors == "kho-torture: \(path): the file is not the journal of a torture\n")
  }
}
