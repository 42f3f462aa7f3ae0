import HandoverTestSupport
import KexecHandover
import Testing

@Suite struct CheckTests {
  @Test(arguments: Fixture.all)
  func soundHandoversHaveNoErrors(in fixture: Fixture) throws {
    let run = kho("check", "--json", fixture.path)
    let report: CheckJSON = try run.json()
    #expect(report.schema == "kho-check/2")
    let expected = try fixture.expectations().handovers
    #expect(report.handovers.map { $0.errorCount == 0 } == expected.map { $0.readable == true })
    #expect(run.status == (expected.allSatisfy { $0.readable == true } ? 0 : 1))
    #expect(run.errors == "")
  }

  @Test func textHasALineForEachFinding() throws {
    let sound = kho("check", Fixture(name: "linux-7.3-kho-v4").path)
    #expect(sound.text == "handover at 0x515000: nothing found\n")
    let noted = kho("check", Fixture(name: "linux-6.18-kho-v1").path)
    #expect(noted.status == 0)
    #expect(noted.text.hasPrefix("handover at 0x7a9000: note v1-bitmap-size-assumed: "))
    #expect(noted.lines.count == 1)
  }

  @Test func withTheSizeOfBitmapsGivenNothingIsAssumed() throws {
    let path = Fixture(name: "linux-6.18-kho-v1").path
    let run = kho("check", "--v1-bitmap", "page", path)
    #expect(run.status == 0)
    #expect(run.text == "handover at 0x7a9000: nothing found\n")
    let halves: InspectJSON = try kho("inspect", "--json", "--v1-bitmap", "512", path).json()
    let first = try #require(halves.handovers.first)
    #expect(first.metadataBytes == 6 * 4096 + 6 * 512)
  }

  @Test(arguments: damages)
  func damageIsFound(_ damage: Damage) throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(name: damage.isOfChunkList ? "linux-6.18-kho-v1" : "linux-7.3-kho-v4")
    var patient = try Patient(fixture)
    try damage.apply(&patient)
    let path = try folder.write(patient.image.elf())

    let run = kho("check", "--json", path)
    let report: CheckJSON = try run.json()
    let findings = report.handovers.flatMap(\.findings)
    let found = try #require(findings.first { $0.code == damage.code }, "\(report.codes)")
    #expect(found.severity == damage.severity)
    let hasErrors = findings.contains { $0.severity == "error" }
    #expect(run.status == (hasErrors ? 1 : 0))
    #expect(report.handovers.contains { $0.errorCount > 0 } == hasErrors)
    #expect(run.errors == "")

    let text = kho("check", path)
    #expect(text.status == run.status)
    #expect(text.text.contains(": \(damage.severity) \(damage.code): \(found.message)\n"))
    // The other commands survive it as well.
    #expect([0, 3].contains(kho("inspect", path).status))
    #expect([0, 3].contains(kho("pages", path).status))
  }

  @Test func anAddressWithoutMemoryIsAFinding() throws {
    let run = kho(
      "check", "--json", "--fdt-address", "0x40000000", Fixture(name: "linux-7.3-kho-v4").path)
    #expect(run.status == 1)
    #expect(try run.json(CheckJSON.self).codes.contains("fdt-unreadable"))
  }
}
