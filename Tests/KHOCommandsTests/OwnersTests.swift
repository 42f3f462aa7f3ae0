import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

@testable import KHOCommands

/// `kho owners` against `kho inspect`, and against what is known of the fixtures.
@Suite struct OwnersTests {
  @Test(arguments: Fixture.all)
  func totalsEqualInspect(of fixture: Fixture) throws {
    let inspected: InspectJSON = try kho("inspect", "--json", fixture.path).json()
    let run = kho("owners", "--json", fixture.path)
    let isWhole = try fixture.expectations().handovers.allSatisfy { $0.readable == true }
    #expect(run.status == (isWhole ? 0 : 3) && run.errors.isEmpty == isWhole)
    let report: OwnersJSON = try run.json()
    #expect(report.schema == "kho-owners/2")
    #expect(report.handovers.map(\.fdtAddress) == inspected.handovers.map(\.fdtAddress))
    for (handover, inspected) in zip(report.handovers, inspected.handovers) {
      #expect(handover.error == inspected.error)
      #expect(handover.entryCount == inspected.entryCount)
      #expect(handover.preservedBytes == inspected.preservedBytes)
      #expect(handover.metadataBytes == inspected.metadataBytes)
      let accounts = handover.owners + [handover.unowned]
      #expect(accounts.reduce(0) { $0 + $1.bytes } == inspected.preservedBytes)
      #expect(accounts.reduce(0) { $0 + $1.entryCount } == inspected.entryCount)
      #expect(accounts.allSatisfy { $0.claimedBytes <= $0.bytes && $0.disputedBytes == 0 })
      #expect(handover.owners.allSatisfy { $0.owner != nil } && handover.unowned.owner == nil)
      #expect(handover.disputedBytes == 0 && handover.disputes.isEmpty)
    }
  }

  @Test func textNamesWhatMatters() throws {
    let path = Fixture(name: "linux-7.3-kho-v4").path
    let lines = kho("owners", path).lines
    let rows = lines.map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(lines.first == "handover at 0x515000: kho-v4")
    #expect(lines.last == "  beside them 100 KiB in 25 nodes, which are not entries")
    #expect(
      rows.contains(["region", "\"labtrace\"", "128", "KiB", "5.7", "%", "6", "128", "KiB"]))
    #expect(rows.contains(["no", "owner", "0", "bytes", "0.0", "%", "0", "0", "bytes"]))
    #expect(rows.contains { $0.starts(with: ["all", "2.17", "MiB", "100.0", "%", "471"]) })
    let file = "file 4098 of session \"vm-alpha\""
    #expect(lines.count { $0.contains(file) } == 1)
    #expect(kho("owners", "--uses", path).lines.count { $0.contains(file) } == 4)
  }

  /// A second file that points to the record of the first.
  @Test func disputesAreNamed() throws {
    let folder = try TemporaryFolder()
    var image = ImageBuilder(of: try Fixture(name: "linux-7.3-kho-v4").open())
    image.setWord(at: 0x7d6080, to: image.word(at: 0x7d6040))
    let path = try folder.write(image.elf())
    let run = kho("owners", path)
    #expect(run.status == 0)
    #expect(run.lines.contains { $0.hasSuffix(" are claimed twice") })
    #expect(run.text.contains(", and by file 4097 of session \"vm-alpha\", folios"))
    let report: OwnersJSON = try kho("owners", "--json", path).json()
    let handover = try #require(report.handovers.first)
    #expect(handover.preservedBytes == 2_285_568)
    #expect(handover.owners.reduce(0) { $0 + $1.bytes } + handover.unowned.bytes == 2_285_568)
    #expect(handover.disputedBytes == 65536 + 4096 + 4096 + 48)
    #expect(
      handover.disputes.allSatisfy { $0.owner?.token == 4096 && $0.otherOwner?.token == 4097 })
  }

  @Test func filesWhoseSessionsAreNotWrittenAreExplained() throws {
    let sentence = "the Live Update Orchestrator writes its sessions in the reboot"
    for fixture in Fixture.all {
      let isOutgoing = fixture.name.hasSuffix("chained")
      #expect(kho("owners", fixture.path).text.contains(sentence) == isOutgoing)
    }
  }

  /// What a person sees while the records are read, and no other result.
  @Test func progressIsTold() throws {
    let memory = try Fixture(name: "linux-7.3-kho-v4").open()
    let address = try #require(HandoverScanner(memory).addresses.first)
    let survey = HandoverSurvey(.memory(address), in: memory, geometry: .pages4KiB)
    var printed: [UInt8] = []
    let console = Console(output: { _ in nil }, errors: { printed += $0 }, showsProgress: true)
    let watched = Console.$current.withValue(console) {
      let progress = CommandProgress("read", of: nil, after: .zero)
      defer { progress.end() }
      return OwnersOfHandover(survey, in: WatchedMemory(memory) { progress.report($0) })
    }
    let lines = String(decoding: printed, as: UTF8.self).split(separator: "\r")
    #expect(lines.first?.hasPrefix("\u{1b}[Kread ") == true)
    #expect(lines.first?.hasSuffix("KiB") == true && lines.last == "\u{1b}[K")
    #expect(
      watched.description(showsUses: true)
        == OwnersOfHandover(survey, in: memory).description(showsUses: true))
  }

  @Test func sharesAreRounded() {
    #expect(percentText(1, of: 3) == "33.3 %" && percentText(2, of: 3) == "66.7 %")
    #expect(
      percentText(0, of: 5) == "0.0 %" && percentText(5, of: 5) == "100.0 %"
        && percentText(0, of: 0) == "")
    #expect(percentText(.max, of: .max) == "100.0 %" && percentText(1 << 63, of: .max) == "50.0 %")
    #expect(percentText(1, of: 2000) == "0.1 %" && percentText(1, of: 2001) == "0.0 %")
  }
}

/// What `kho owners --json` prints.
struct OwnersJSON: Decodable {
  let schema: String
  let handovers: [Handover]

  struct Handover: Decodable {
    let fdtAddress: UInt64?
    let entryCount: UInt64
    let preservedBytes: UInt64
    let metadataBytes: UInt64
    let owners: [Account]
    let unowned: Account
    let disputedBytes: UInt64
    let disputes: [Dispute]
    let omittedDisputeCount: UInt64
    let error: String?

    /// The bytes of everything that passes.
    func bytes(where passes: (Owner) -> Bool) -> UInt64 {
      owners.reduce(0) { $0 + ($1.owner.map(passes) == true ? $1.bytes : 0) }
    }
  }

  struct Owner: Decodable {
    let kind: String
    let name: String?
    let token: UInt64?
    let use: String
  }

  struct Account: Decodable {
    let owner: Owner?
    let entryCount: UInt64
    let bytes: UInt64
    let claimedBytes: UInt64
    let disputedBytes: UInt64
  }

  struct Dispute: Decodable {
    let address: UInt64
    let bytes: UInt64
    let owner: Owner?
    let otherOwner: Owner?
  }
}
