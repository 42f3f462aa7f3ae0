import Foundation
import HandoverTestSupport
import Testing

@Suite struct InspectTests {
  @Test(arguments: Fixture.all)
  func jsonEqualsExpectations(of fixture: Fixture) throws {
    let run = kho("inspect", "--json", fixture.path)
    let isWhole = try fixture.expectations().handovers.allSatisfy { $0.readable == true }
    #expect(run.status == (isWhole ? 0 : 3))
    #expect(run.errors.isEmpty == isWhole)
    let report: InspectJSON = try run.json()
    let expected = try fixture.expectations()
    #expect(report.schema == "kho-inspect/2")
    #expect(report.handovers.count == expected.handovers.count)
    for (handover, expected) in zip(report.handovers, expected.handovers) {
      #expect(handover.fdtAddress == expected.fdtAddress)
      #expect((handover.error == nil) == expected.readable)
      guard expected.readable == true else { continue }
      try check(handover, expected)
    }
    #expect(report.handovers.allSatisfy { $0.pageShift == expected.pageShift })
  }

  private func check(
    _ handover: InspectJSON.Handover, _ expected: Fixture.Handover
  ) throws {
    #expect(handover.compatible == expected.compatible)
    #expect(handover.rootAddress == expected.root)
    #expect(handover.entryCount == expected.entryCount)
    #expect(handover.preservedBytes == expected.preservedBytes)
    #expect(handover.entryCountByOrder == expected.orders)
    #expect(handover.nodeCountByLevel == expected.nodesByLevel)
    #expect(handover.metadataBytes == handover.nodeCountByLevel.reduce(0, +) * 4096)
    #expect(handover.omittedFindingCount == 0)
    let isChunkList = handover.compatible == "kho-v1"
    #expect(handover.findings.map(\.code) == (isChunkList ? ["v1-bitmap-size-assumed"] : []))
    #expect(handover.findings.allSatisfy { $0.severity == "note" })

    let subtrees = try #require(expected.subtrees)
    #expect(handover.subtrees.map(\.name).sorted() == subtrees.keys.sorted())
    for subtree in handover.subtrees {
      let properties = try #require(subtrees[subtree.name])
      #expect(subtree.address == properties["preserved-data"] ?? properties["fdt"])
      #expect(subtree.bytes == properties["blob-size"])
      #expect(subtree.isPreserved)
    }
  }

  /// What has no value is there as null, so that a reader need not guess.
  @Test func nullsAreWritten() throws {
    let keys: Set = [
      "fdtAddress", "compatible", "rootAddress", "pageShift", "entryCount", "preservedBytes",
      "entryCountByOrder", "nodeCountByLevel", "metadataBytes", "subtrees", "findings",
      "omittedFindingCount", "error",
    ]
    for fixture in Fixture.all {
      let run = kho("inspect", "--json", fixture.path)
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(run.output)) as? [String: Any])
      let handovers = try #require(report["handovers"] as? [[String: Any]])
      for handover in handovers {
        // The sorts of records are another matter.
        #expect(keys.isSubset(of: handover.keys))
        #expect((handover["error"] is NSNull) != (handover["error"] is String))
        for subtree in try #require(handover["subtrees"] as? [[String: Any]]) {
          #expect(Set(subtree.keys) == ["name", "address", "bytes", "isPreserved"])
        }
        for finding in try #require(handover["findings"] as? [[String: Any]]) {
          #expect(Set(finding.keys) == ["code", "severity", "address", "level", "message"])
        }
      }
    }
  }

  /// The first handover of a chained boot was read, and its nodes are ordinary memory since.
  @Test func chainedImageShowsBoth() throws {
    let fixture = Fixture(name: "linux-7.3-kho-v4-chained")
    let report: InspectJSON = try kho("inspect", "--json", fixture.path).json()
    #expect(report.handovers.map { $0.error == nil } == [false, true])
    #expect(!(report.handovers[0].findings.isEmpty))

    let run = kho("inspect", fixture.path)
    #expect(run.status == 3)
    #expect(run.lines.count { $0.hasPrefix("handover at 0x") } == 2)
    let broken = kho("inspect", "--fdt-address", "5328896", fixture.path)
    #expect(broken.status == 3)
    #expect(broken.errors.hasPrefix("kho: \(fixture.path): "))
    #expect(broken.errors.split(separator: "\n").count == 1)
  }

  @Test(arguments: Fixture.all)
  func deviceTreeByAddressAndByFile(in fixture: Fixture) throws {
    let folder = try TemporaryFolder()
    for expected in try fixture.expectations().handovers where expected.readable == true {
      let address = "\(expected.fdtAddress)"
      let byAddress = kho("inspect", "--json", "--fdt-address", address, fixture.path)
      let report: InspectJSON = try byAddress.json()
      #expect(byAddress.status == 0)
      #expect(report.handovers.map(\.fdtAddress) == [expected.fdtAddress])
      try check(report.handovers[0], expected)

      let memory = ImageBuilder(of: try fixture.open())
      let file = try folder.write(try #require(memory.pages[expected.fdtAddress]), "fdt")
      let byFile = kho("inspect", "--json", "--fdt", file, fixture.path)
      let other: InspectJSON = try byFile.json()
      #expect(byFile.status == 0)
      #expect(other.handovers.map(\.fdtAddress) == [nil])
      try check(other.handovers[0], expected)
    }
  }

  @Test func textNamesWhatMatters() throws {
    let text = kho("inspect", Fixture(name: "linux-7.3-kho-v4").path).text
    for part in [
      "handover at 0x515000: kho-v4", "0x514000, 4 KiB pages", "471 entries",
      "6, 5, 5, 5, 3, 1", "kexec-metadata", "73 bytes",
    ] {
      #expect(text.contains(part), "\(part)")
    }
  }
}
