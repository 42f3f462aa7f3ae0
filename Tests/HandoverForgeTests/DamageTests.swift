import HandoverInspection
import HandoverTestSupport
import KexecHandover
import Testing

/// Each damage gives the finding whose code it has, and a damaged handover is still read to its end.
@Suite struct DamageTests {
  private func description(_ damage: ForgeDamage?) -> ForgeDescription {
    var description = ForgeDescription()
    description.metadata = KexecMetadata(previousRelease: "forged", kexecCount: 1)
    description.sessions = [
      .init(
        name: "vm", files: [.init(token: 1, contents: .bytes([UInt8](repeating: 7, count: 20_000)))]
      )
    ]
    description.regions = [.init(name: "trace", byteCount: 1 << 20)]
    description.test = .init(orders: (0...10).map { PageOrder($0) } + [.zero, PageOrder(3)])
    description.damage = damage
    return description
  }

  /// The codes of what `check` would report.
  private func codes(_ handover: ForgedHandover) -> Set<String> {
    let survey = HandoverSurvey(
      .memory(handover.announcedDeviceTree.start), in: handover.memory,
      geometry: handover.geometry)
    let records = survey.checkRecords(in: handover.memory)
    return Set(
      survey.findings.map(\.code) + records.findings.map { HandoverFinding.record($0).code })
  }

  @Test func soundWithout() throws {
    #expect(try codes(ForgedHandover(description(nil))).isEmpty)
  }

  @Test(arguments: ForgeDamage.allCases)
  func damage(_ damage: ForgeDamage) throws {
    let found = codes(try ForgedHandover(description(damage)))
    #expect(found.contains(damage.rawValue), "\(found)")
  }

  @Test func nothingToDamage() throws {
    for damage in [
      ForgeDamage.nodeEmpty, .blobNotPreserved, .recordMalformed, .recordRefersUnpreserved,
      .recordRefersOutsideMemory, .recordEntryDiffers, .blocksOverlap,
    ] {
      var empty = ForgeDescription()
      empty.damage = damage
      #expect(throws: ForgeError.nothingToDamage(damage.rawValue)) { _ = try ForgedHandover(empty) }
    }
  }
}
