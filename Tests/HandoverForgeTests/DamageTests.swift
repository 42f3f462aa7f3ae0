import Foundation
import HandoverForge
import HandoverInspection
import HandoverTestSupport
import KexecHandover
import MemoryImages
import Platform
import SystemPackage
import Testing

/// Each damage gives the finding whose code it has, and a damaged handover is still read to its end.
@Suite struct DamageTests {
  private func description(_ damage: ForgeDamage?) -> ForgeDescription {
    var description = ForgeDescription()
    description.metadata = KexecMetadata(previousRelease: "forged", kexecCount: 1)
    description.sessions = [
      .init(
        name: "vm", files: [.init(token: 1, contents: .bytes([UInt8](repeating: 7, count: 20_000)))]
      ),
      .init(name: "other", files: [.init(token: 1, contents: .bytes([1]))]),
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

  /// What only an image with its scratch areas shows.
  private static let damagesOfImages: [ForgeDamage] = [
    .blobRepeated, .deviceTreePastPage, .blockInScratch,
  ]

  /// The codes of what `check` would report of a file with the handover's memory.
  private func codesOfImage(_ handover: ForgedHandover) throws -> Set<String> {
    let path = FileManager.default.temporaryDirectory.appending(path: "forged-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let written = try handover.stored.write(
      from: handover.memory, to: OutputFile(at: path, OutputRules()))
    var options = HandoverImage.Options()
    options.rawPlacement = .layout(RawLayout(base: try #require(written.load).start))
    options.deviceTree = .address(handover.announcedDeviceTree.start)
    options.scratch = handover.scratchAreas.map(\.range)
    options.pageSize = handover.geometry
    let image = try HandoverImage.open(FilePath(path), options: options)
    return Set(image.surveys.flatMap { image.findings(of: $0) }.map(\.code))
  }

  @Test func soundWithout() throws {
    let handover = try ForgedHandover(description(nil))
    #expect(codes(handover).isEmpty)
    #expect(try codesOfImage(handover).isDisjoint(with: Self.damagesOfImages.map(\.rawValue)))
  }

  @Test(arguments: ForgeDamage.allCases)
  func damage(_ damage: ForgeDamage) throws {
    let handover = try ForgedHandover(description(damage))
    let found =
      Self.damagesOfImages.contains(damage) ? try codesOfImage(handover) : codes(handover)
    #expect(found.contains(damage.rawValue), "\(found)")
  }

  @Test func nothingToDamage() throws {
    for damage in [
      ForgeDamage.nodeEmpty, .blobNotPreserved, .recordMalformed, .recordRefersUnpreserved,
      .recordRefersOutsideMemory, .recordEntryDiffers, .blocksOverlap, .recordRefersTwice,
      .recordNameRepeated, .recordChecksum, .memfdSize,
    ] {
      var empty = ForgeDescription()
      empty.damage = damage
      #expect(throws: ForgeError.nothingToDamage(damage.rawValue)) { _ = try ForgedHandover(empty) }
    }
  }
}
