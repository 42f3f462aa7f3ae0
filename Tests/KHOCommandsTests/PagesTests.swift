import HandoverTestSupport
import KexecHandover
import Testing

@Suite struct PagesTests {
  private static let v4 = Fixture(name: "linux-7.3-kho-v4")

  /// "abc" and the empty message: FIPS 180-4 examples.
  @Test func digests() {
    #expect(
      sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test(arguments: Fixture.all)
  func plainListEqualsExpectation(of fixture: Fixture) throws {
    for expected in try fixture.expectations().handovers where expected.readable == true {
      let run = kho("pages", "--format", "plain", fixture.path)
      let isWhole = try fixture.expectations().handovers.allSatisfy { $0.readable == true }
      #expect(run.status == (isWhole ? 0 : 3))
      #expect(sha256(run.output) == expected.pagesPlainSHA256)
    }
  }

  @Test(arguments: Fixture.all)
  func formatsAgree(on fixture: Fixture) throws {
    let expected = try #require(try fixture.expectations().handovers.last)
    let entryCount = try #require(expected.entryCount)
    let plain = kho("pages", "--format", "plain", fixture.path)
    let table = kho("pages", fixture.path)
    let report: PagesJSON = try kho("pages", "--json", fixture.path).json()
    let runs: PagesJSON = try kho("pages", "--json", "--format", "ranges", fixture.path).json()
    let ranges = kho("pages", "--format", "ranges", fixture.path)

    let entries = try #require(report.handovers.last?.entries)
    #expect(report.schema == "kho-pages/2")
    #expect(report.handovers.map(\.fdtAddress) == [expected.fdtAddress])
    let lines = entries.map { "\(String($0.address, radix: 16)) \($0.order)" }
    #expect(lines == plain.lines.map(String.init))
    #expect(UInt64(entries.count) == entryCount)
    #expect(UInt64(table.lines.count) == entryCount + 1)
    #expect(table.lines.first?.contains("ADDRESS") == true)
    let listed = try #require(runs.handovers.last?.ranges)
    #expect(listed.reduce(0) { $0 + $1.blockCount } == entryCount)
    #expect(listed.reduce(0) { $0 + $1.bytes } == expected.preservedBytes)
    #expect(ranges.lines.count == listed.count + 1)
  }

  @Test func ordersAreFiltered() throws {
    for (order, count) in try #require(try Self.v4.expectations().handovers[0].orders) {
      let run = kho("pages", "--format", "plain", "--order", order, Self.v4.path)
      #expect(run.status == 0)
      #expect(UInt64(run.lines.count) == count)
      #expect(run.lines.allSatisfy { $0.hasSuffix(" \(order)") })
    }
    let none = kho("pages", "--format", "plain", "--order", "63", Self.v4.path)
    #expect(none.status == 0 && none.output.isEmpty)
  }

  /// A range holds its first byte and not its end; one byte of a block is enough.
  @Test func rangesAreFiltered() throws {
    let report: PagesJSON = try kho("pages", "--json", Self.v4.path).json()
    let entries = try #require(report.handovers[0].entries)
    func listed(_ start: UInt64, _ end: UInt64) throws -> [PagesJSON.Entry] {
      let run = kho("pages", "--json", "--range", "\(start)-\(end)", Self.v4.path)
      return try #require(try run.json(PagesJSON.self).handovers[0].entries)
    }
    for order in [0, 1, 4] as [UInt64] {
      let entry = try #require(entries.first { $0.order == order })
      let end = entry.address + 4096 << order
      #expect(try listed(entry.address, entry.address + 1) == [entry])
      #expect(try listed(end - 1, end) == [entry])
      #expect(try !listed(end, end + 1).contains(entry))
      #expect(try !listed(entry.address - 1, entry.address).contains(entry))
      #expect(try listed(entry.address - 1, end + 1).contains(entry))
    }
    #expect(try listed(0, .max) == entries)
    let range = "0x515000-0x516000"
    let hexadecimal = kho("pages", "--format", "plain", "--range", range, Self.v4.path)
    #expect(hexadecimal.text == "515000 0\n")
  }

  @Test func twoSoundHandoversDoNotFitInAPlainList() throws {
    let folder = try TemporaryFolder()
    var patient = try Patient(Self.v4)
    let copy = try #require(patient.spares.first)
    patient.image.pages[copy] = patient.image.pages[patient.deviceTree]
    let path = try folder.write(patient.image.elf())

    let plain = kho("pages", "--format", "plain", path)
    #expect(plain.status == 3)
    #expect(plain.output.isEmpty)
    for address in [patient.deviceTree, copy] {
      #expect(plain.errors.contains("0x" + String(address, radix: 16)))
      let chosen = kho("pages", "--format", "plain", "--fdt-address", "\(address)", path)
      #expect(chosen.status == 0)
      #expect(chosen.lines.count == 471)
    }
    let table = kho("pages", path)
    #expect(table.status == 0)
    #expect(table.lines.count { $0.hasPrefix("# handover at 0x") } == 2)
    let report: PagesJSON = try kho("pages", "--json", path).json()
    #expect(report.handovers.map { $0.entries?.count } == [471, 471])
  }

  @Test func aHandoverThatCannotBeReadIsLeftOutBesideOneThatCan() {
    let run = kho("pages", "--format", "plain", Fixture(name: "linux-7.3-kho-v4-chained").path)
    #expect(run.status == 3)
    #expect(run.errors.contains("left out"))
  }

  @Test func whatCanBeReadOfABrokenHandoverIsListed() throws {
    let folder = try TemporaryFolder()
    var patient = try Patient(Self.v4)
    // The way to order 4 is cut.
    let slot = try #require(patient.blocks.first { $0.order == PageOrder(4) })
    patient.image.setWord(
      at: try #require(patient.slots(to: slot.address.rawValue, order: 4).last), to: 0x123)
    let run = kho("pages", "--format", "plain", try folder.write(patient.image.elf()))
    #expect(run.status == 3)
    #expect(run.lines.count == 471 - 5)
    #expect(run.errors.split(separator: "\n").count == 1)
  }
}
