import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// The records that `kho inspect` shows, against what an independent reader found.
@Suite struct RecordReportTests {
  @Test(arguments: Fixture.all)
  func recordsEqualExpectations(of fixture: Fixture) throws {
    let report: RecordsJSON = try kho("inspect", "--json", "--records", fixture.path).json()
    let expectations = try fixture.expectations().handovers
    for (handover, expected) in zip(report.handovers, expectations) where expected.readable == true
    {
      let region = try #require(handover.memblock?.regions.first)
      #expect(region.name == "labtrace" && region.bytes == 128 << 10 && region.error == nil)
      #expect(handover.areas.isEmpty && handover.unknownBlobs.isEmpty)
      #expect(handover.omittedRecordCount == 0)
      let names = Set((expected.subtrees ?? [:]).keys)
      #expect((handover.kexecMetadata != nil) == names.contains("kexec-metadata"))
      #expect((handover.khoTest != nil) == names.contains("kho_test"))
      #expect(handover.khoTest.map { UInt64($0.folios.count) } == handover.khoTest?.folioCount)
      if let metadata = handover.kexecMetadata {
        #expect(fixture.name.contains(metadata.previousRelease.prefix(3)))
      }
      #expect((handover.luo == nil) == (expected.luo == nil))
      guard let luo = handover.luo, let expected = expected.luo else { continue }
      #expect(luo.compatible == expected.compatible && luo.error == nil)
      #expect(luo.updateNumber == expected.liveupdate_number)
      #expect(luo.sessions.map(\.name) == expected.sessions.map(\.name))
      for (session, expected) in zip(luo.sessions, expected.sessions) {
        #expect(session.fileCount == UInt64(expected.files.count) && session.error == nil)
        try #require(session.files.count == expected.files.count)
        for (file, expected) in zip(session.files, expected.files) {
          #expect(file.handler == expected.handler && file.token == expected.token)
          #expect(file.data == expected.data && file.position == expected.position)
          #expect(file.bytes == expected.size && file.seals == expected.seals)
          #expect(file.folioCount == expected.folios && file.holeCount == 0 && file.error == nil)
          let map = try #require(file.pageMap)
          #expect(map.reduce(0) { $0 + $1.folioCount } == expected.folios)
          #expect(map.map(\.pageIndex) == map.map(\.pageIndex).sorted())
          #expect(map.allSatisfy { $0.isDirty && $0.isUpToDate && $0.order == 0 })
        }
      }
    }
  }

  @Test func textShowsEachRecord() throws {
    let path = Fixture(name: "linux-7.3-kho-v4").path
    let text = kho("inspect", path).text
    for part in [
      "memblock: 1 region of reserve_mem", "labtrace  [0xb8b7000-0xb8d6fff]  128 KiB",
      "kexec-metadata: written by Linux 7.3.4, kexec 1", "kho_test: 4 folios, sum 0x",
      "LUO: luo-v5, live update 1, 2 sessions", "session \"vm-alpha\": 3 files",
      " 4098  memfd-v2  448 KiB         0  seal   112 folios, 448 KiB",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(!text.contains("pages of file"))
    let map = kho("inspect", "--records", path).text
    #expect(map.contains("pages of file 8194"))
    #expect(map.contains("0  0x17f1000      0       1  dirty\n"))
  }

  /// One record is damaged: it is a finding, and the others are shown.
  @Test func whatIsDamagedIsSaidAndTheRestIsShown() throws {
    let folder = try TemporaryFolder()
    let sound = ImageBuilder(of: try Fixture(name: "linux-7.3-kho-v4").open())
    func inspect(_ change: (inout ImageBuilder) -> Void) throws -> RecordsJSON.Handover {
      var image = sound
      image.machine = 62
      change(&image)
      let path = try folder.write(image.elf())
      let run = kho("inspect", path)
      #expect(run.status == 0)
      let report: RecordsJSON = try kho("inspect", "--json", path).json()
      return try #require(report.handovers.first)
    }
    func files(_ handover: RecordsJSON.Handover) -> [RecordsJSON.File] {
      handover.luo?.sessions.flatMap(\.files) ?? []
    }

    // The record of a memfd that is not there.
    let file = try inspect { $0.setWord(at: 0x7d6040, to: 1 << 50) }
    #expect(files(file).map { $0.error != nil } == [true, false, false, false, false, false])
    #expect(files(file).map { $0.bytes == nil } == [true, false, false, false, false, false])
    #expect(file.findings.contains { $0.code == "record-refers-outside-memory" })
    // The files of a session.
    let session = try inspect { $0.setWord(at: 0x7d5010 + 64, to: 0x1001) }
    #expect(session.luo?.sessions.map { $0.error != nil } == [true, false])
    #expect(
      files(session).count == 3 && session.findings.contains { $0.code == "record-malformed" })
    // The record of the orchestrator, of an unknown format.
    let luo = try inspect { $0.setWord(at: 0x7b4000, to: 0x0000_3676_2d6f_756c) }
    #expect(luo.luo == nil && luo.memblock != nil && luo.khoTest != nil)
    #expect(luo.unknownBlobs.map(\.name) == ["LUO"])
    #expect(luo.unknownBlobs[0].head.hasPrefix("6c756f2d7636"))
    #expect(luo.findings.contains { $0.code == "record-format-unknown" })
    // An unknown handler.
    let handler = try inspect { $0.setWord(at: 0x7d6010, to: 0x3376_2d64_666d_656d) }
    #expect(files(handler).first?.handler == "memfd-v3" && files(handler).first?.bytes == nil)
    #expect(files(handler).dropFirst().allSatisfy { $0.bytes != nil })
  }

  @Test func areasOfProcessesAreShown() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("memory")
    var memory = try PreservedMemory(
      creating: .path(.init(path)), byteCount: 4 << 20, geometry: .pages4KiB)
    _ = try memory.makeArea(named: "area", blockCount: 600, order: .zero)
    _ = try memory.makeRegion(named: "text", byteCount: 5) {
      $0.storeBytes(of: UInt8(ascii: "K"), toByteOffset: 0, as: UInt8.self)
    }
    let report: RecordsJSON = try kho("inspect", "--json", path).json()
    let area = try #require(report.handovers[0].areas.first)
    #expect(
      area.name == "area" && area.pageCount == 600 && area.blockCount == 600 && area.chunkCount == 2
    )
    #expect(report.handovers[0].unknownBlobs.map(\.name) == ["text"])
    #expect(report.handovers[0].unknownBlobs.map(\.head) == ["4b00000000"])
    let text = kho("inspect", path).text
    #expect(
      text.contains("area: an area of 600 pages in 600 blocks of order 0, named by 2 chunks"))
    #expect(text.contains("text: of a format that is not known"))
    #expect(text.contains("4b 00 00 00 00                                   K...."))
  }

  /// What has no value is there as null, in records too.
  @Test func nullsAreWritten() throws {
    let keys: Set = [
      "memblock", "kexecMetadata", "khoTest", "luo", "areas", "unknownBlobs",
      "omittedRecordCount",
    ]
    let fileKeys: Set = [
      "handler", "token", "data", "position", "bytes", "seals", "flags", "folioCount", "holeCount",
      "dirtyFolioCount", "staleFolioCount", "folioBytes", "area", "sha256", "pageMap", "error",
    ]
    for fixture in Fixture.all {
      let report = try #require(
        try JSONSerialization.jsonObject(
          with: Data(kho("inspect", "--json", fixture.path).output)) as? [String: Any])
      for handover in try #require(report["handovers"] as? [[String: Any]]) {
        #expect(keys.isSubset(of: handover.keys))
        guard let luo = handover["luo"] as? [String: Any] else { continue }
        for session in try #require(luo["sessions"] as? [[String: Any]]) {
          #expect(Set(session.keys) == ["name", "fileCount", "files", "blockCount", "error"])
          for file in try #require(session["files"] as? [[String: Any]]) {
            #expect(Set(file.keys) == fileKeys)
          }
        }
      }
    }
  }
}
