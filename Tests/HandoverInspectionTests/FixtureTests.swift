import HandoverTestSupport
import KexecHandover
import Testing

@Suite struct FixtureTests {
  @Test(arguments: Fixture.all)
  func surveyEqualsExpectations(of fixture: Fixture) throws {
    let memory = try fixture.open()
    let expected = try fixture.expectations()
    let scanner = HandoverScanner(memory)
    #expect(scanner.addresses.map(\.rawValue) == expected.handovers.map(\.fdtAddress))
    let (surveys, isDeduced) = PageSizeDeduction.surveys(
      scanner.addresses.map { .memory($0) }, in: memory)
    #expect(isDeduced)
    for (survey, expected) in zip(surveys, expected.handovers) {
      #expect((survey.error == nil) == expected.readable)
      guard expected.readable == true else { continue }
      let pages = try #require(survey.pages)
      #expect(survey.deviceTree?.compatible == expected.compatible)
      #expect(survey.deviceTree?.map?.rawValue == expected.root)
      #expect(pages.entryCount == expected.entryCount)
      #expect(pages.preservedByteCount == expected.preservedBytes)
      #expect(pages.nodeCountByLevel == expected.nodesByLevel)
      #expect(survey.errorCount == 0)
      let names = survey.subtrees.map(\.subtree.name).sorted()
      #expect(names == (expected.subtrees ?? [:]).keys.sorted())
      for subtree in survey.subtrees {
        let properties = try #require(expected.subtrees?[subtree.subtree.name])
        #expect(
          subtree.subtree.address.rawValue == properties["preserved-data"] ?? properties["fdt"])
        #expect(subtree.subtree.byteCount == properties["blob-size"])
        #expect(subtree.isPreserved)
      }
    }
    #expect(surveys.allSatisfy { $0.geometry.shift == expected.pageShift })
  }
}
