import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// A handover with more records than the text report keeps: the JSON report has all of them, and is written in small
/// pieces while they are read.
@Suite struct ManyRecordsTests {
  private static let folioCount: UInt64 = 70_000
  private static let fileCount: UInt64 = 66_000

  private let folder: TemporaryFolder
  private let path: String
  private let deviceTree: PhysicalAddress

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path("image")
    deviceTree = try Self.write(to: path)
  }

  /// One session with a memfd whose folios follow each other backwards, so that each is a run of its own, and one
  /// session with files of an unknown handler.
  private static func write(to path: String) throws -> PhysicalAddress {
    let geometry = PageGeometry.pages4KiB
    let all = PhysicalRange(start: PhysicalAddress(0x100_0000), byteCount: 512 << 20)
    let memory = try AnonymousMemory(all)
    // The records are in the first part, which the image stores; the folios are behind it.
    let start = FrameNumber(containing: all.start, in: geometry)
    let own = FrameRange(start: start, frameCount: 8192)
    var frames = try BuddyAllocator(free: [own], in: memory, geometry: geometry)
    let frame = frames.takeFrame()
    let anchor = try #require(frame)
    var handover = try OutgoingHandover(
      in: memory, geometry: geometry, anchor: WordAnchor(at: anchor, in: memory), from: &frames)

    let first = own.end.address(in: geometry)
    try handover.preserve(
      BlockRun(address: first, order: .zero, blockCount: folioCount), from: &frames)
    let folios = (0..<folioCount).map { index in
      MemfdFolio(
        address: first.advanced(byBytes: (folioCount - 1 - index) * 4096), pageIndex: index)
    }
    let record = try handover.addMemfdRecord(
      byteSize: folioCount * 4096, folios: folios, from: &frames)
    try handover.addLiveUpdate(
      number: 1,
      sessions: [
        ("folios", [LiveUpdateFile(memfd: record, token: 1)]),
        ("files", (0..<fileCount).map { LiveUpdateFile(handler: "other", data: 0, token: $0) }),
      ], from: &frames)
    let writer = CoreFileWriter(
      existing: MemoryMap([all]), stored: MemoryMap([own.range(in: geometry)]))
    try writer.write(to: FilePath(path), replacing: false, from: memory)
    return handover.deviceTree.address
  }

  @Test func jsonHasAllRecords() throws {
    let address = "\(deviceTree.rawValue)"
    let run = kho("inspect", "--json", "--records", "--fdt-address", address, path)
    #expect(run.status == 0, "\(run.errors)")
    let report: RecordsJSON = try run.json()
    let handover = report.handovers[0]
    #expect(handover.omittedRecordCount == 0)
    let sessions = try #require(handover.luo?.sessions)
    #expect(sessions.map(\.name) == ["folios", "files"])
    let map = try #require(sessions[0].files[0].pageMap)
    #expect(map.map(\.pageIndex) == Array(0..<Self.folioCount))
    #expect(map.allSatisfy { $0.folioCount == 1 && $0.order == 0 })
    #expect(sessions[1].files.map(\.token) == Array(0..<Self.fileCount))

    // The text keeps the first ones, and prints how many it leaves out.
    let text = kho("inspect", "--fdt-address", address, path).text
    // Two sessions and one file are kept with the others.
    #expect(text.contains("and \(3 + Self.fileCount - 65_536) more that are not shown"))
  }

  @Test func piecesAreSmall() throws {
    var options = HandoverImage.Options()
    options.deviceTree = .address(deviceTree)
    let image = try HandoverImage.open(FilePath(path), options: options)
    var largest = 0
    var byteCount = 0
    JSONDocument.writeInspect(image, pageMaps: true) { piece in
      largest = max(largest, piece.utf8.count)
      byteCount += piece.utf8.count
      return true
    }
    #expect(largest < 64 << 10)
    #expect(byteCount > 10 << 20)

    // Collected, the document ends with a newline. A limit one byte below that leaves it out.
    let count = JSONDocument.inspect(image, atMost: .max)?.count
    #expect(count.map { JSONDocument.inspect(image, atMost: $0)?.count } == count)
    #expect(count.map { JSONDocument.inspect(image, atMost: $0 - 1) == nil } == true)

    // A receiver that takes no more ends the reading.
    var pieceCount = 0
    JSONDocument.writeInspect(image, pageMaps: true) { _ in
      pieceCount += 1
      return pieceCount < 3
    }
    #expect(pieceCount == 3)
  }
}
