import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// What the tool says about memory files: the same as those who made them.
@Suite(.namesCombination) struct MemoryFileCommandTests {
  static let geometries: [PageGeometry] = [.pages4KiB, .pages16KiB, .pages64KiB]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path("memory") }

  /// What was preserved, as its maker knows it.
  private struct Model {
    var blocks: Set<PhysicalBlock> = []
    var names: [String: PhysicalRange] = [:]
    var run = PhysicalRange(start: .zero, byteCount: 0)
    var byteCount: UInt64 = 0
  }

  private func fill(_ geometry: PageGeometry = .pages4KiB) throws -> Model {
    var model = Model()
    var memory = try PreservedMemory(
      creating: .path(.init(path)), byteCount: 6 << 20, geometry: geometry)
    func add(_ range: PhysicalRange) {
      let run = FrameRange(covering: range, in: geometry)
      model.blocks.formUnion(NaturalBlocks(run, in: geometry, nodeStarts: []))
    }
    for (name, byteCount) in [("text", 6000), ("large", 300_000), ("word", 8)] as [(String, UInt64)]
    {
      let range = try memory.makeRegion(named: name, byteCount: byteCount)
      model.names[name] = range
      add(range)
    }
    let area = try memory.makeArea(named: "area", blockCount: 5, order: PageOrder(1))
    let found = try memory.region(named: "area")
    let descriptor = try #require(found)
    model.names["area"] = descriptor
    add(descriptor)
    model.blocks.formUnion(try memory.blocks(ofArea: "area"))
    model.blocks.insert(PhysicalBlock(address: area.firstChunk, order: .zero))
    model.blocks.insert(try memory.allocate(PageOrder(3)))
    model.run = try memory.allocate(byteCount: 5 * UInt64(geometry.pageByteCount))
    add(model.run)
    model.byteCount = memory.byteCount
    return model
  }

  /// Checks that the commands print exactly the model.
  private func expect(
    _ model: Model, _ geometry: PageGeometry = .pages4KiB, generation: UInt64 = 0
  ) throws {
    let run = kho("inspect", "--json", path)
    try #require(run.status == 0 && run.errors == "")
    let report: InspectJSON = try run.json()
    let file = try #require(report.memoryFile)
    #expect(file.identity.count == 32 && file.generation == generation)
    #expect(file.bytes == model.byteCount && !file.isBuildingNext)
    #expect(file.writerProcessID == UInt64(ProcessInfo.processInfo.processIdentifier))
    try #require(report.handovers.count == 1)
    let handover = report.handovers[0]
    #expect(handover.compatible == "kho-v4" && handover.pageShift == geometry.shift)
    #expect(handover.error == nil)
    #expect(handover.findings.allSatisfy { $0.severity == "note" })

    var blocks = model.blocks
    let deviceTree = try #require(handover.fdtAddress)
    blocks.insert(PhysicalBlock(address: PhysicalAddress(deviceTree), order: .zero))
    #expect(handover.entryCount == UInt64(blocks.count))
    let orders = Dictionary(grouping: blocks, by: \.order)
    #expect(
      handover.entryCountByOrder
        == Dictionary(
          uniqueKeysWithValues: orders.map { ("\($0.key)", UInt64($0.value.count)) }))
    let byteCount = blocks.reduce(0) { $0 + geometry.blockByteCount($1.order) }
    #expect(handover.preservedBytes == byteCount)
    #expect(
      handover.metadataBytes
        == handover.nodeCountByLevel.reduce(0, +) * UInt64(geometry.pageByteCount))
    #expect(Set(handover.subtrees.map(\.name)) == Set(model.names.keys))
    for subtree in handover.subtrees {
      let range = try #require(model.names[subtree.name])
      #expect(subtree.address == range.start.rawValue && subtree.bytes == range.byteCount)
      #expect(subtree.isPreserved)
    }
    let lines = blocks.sorted().map { block in
      "\(String(block.address.rawValue, radix: 16)) \(block.order)"
    }
    #expect(kho("pages", "--format", "plain", path).lines.map(String.init) == lines)
    try expectNothingFound()
    try expectOwners(of: model, handover, geometry)
  }

  /// Names have their memory, and what was allocated without a name has no owner.
  private func expectOwners(
    of model: Model, _ handover: InspectJSON.Handover, _ geometry: PageGeometry
  ) throws {
    let report: OwnersJSON = try kho("owners", "--json", path).json()
    let owners = try #require(report.handovers.first)
    #expect(owners.entryCount == handover.entryCount)
    #expect(owners.preservedBytes == handover.preservedBytes)
    let pageByteCount = UInt64(geometry.pageByteCount)
    for (name, range) in model.names {
      let pages = FrameRange(covering: range, in: geometry).frameCount
      let blob = owners.bytes { $0.kind == "subtree" && $0.name == name && $0.use == "blob" }
      #expect(blob == pages * pageByteCount, "\(name)")
    }
    let area = owners.bytes { $0.name == "area" && $0.use != "blob" }
    #expect(area == (model.names["area"] == nil ? 0 : (5 * 2 + 1) * pageByteCount))
    #expect(owners.bytes { $0.kind == "handover" } == pageByteCount)
    let named = owners.owners.reduce(0) { $0 + $1.bytes }
    #expect(owners.unowned.bytes == handover.preservedBytes - named)
    #expect(owners.unowned.bytes >= 8 * pageByteCount)
  }

  private func expectNothingFound() throws {
    let check = kho("check", "--json", path)
    #expect(check.status == 0 && check.errors == "")
    let report: CheckJSON = try check.json()
    #expect(report.handovers.allSatisfy { $0.errorCount == 0 })
    #expect(report.handovers.flatMap(\.findings).allSatisfy { $0.severity == "note" })
  }

  @Test(arguments: geometries)
  func whatIsShownIsWhatWasPreserved(geometry: PageGeometry) throws {
    var model = try fill(geometry)
    try expect(model, geometry)
    let text = kho("inspect", path).text
    #expect(text.hasPrefix("memory file "))
    #expect(text.contains("generation 0, ") && text.contains("(running)"))
    do {
      var memory = try PreservedMemory.open(.init(path))
      // While a process has it, too.
      try expect(model, geometry, generation: 1)
      try memory.free(model.run)
    }
    let run = FrameRange(covering: model.run, in: geometry)
    model.blocks.subtract(NaturalBlocks(run, in: geometry, nodeStarts: []))
    try expect(model, geometry, generation: 1)
  }

  /// A process was killed while it freed a run: nothing is wrong, and its successor completes it.
  @Test func aChangeThatWasBegun() throws {
    var model = try fill()
    do {
      var superblock = try Superblock(reading: MemoryFile.open(.init(path)))
      var change = HandoverChange()
      change.unpreserved.append(.frames(FrameRange(covering: model.run, in: .pages4KiB)))
      superblock.begin(change)
    }
    #expect(
      try kho("inspect", "--json", path).json(InspectJSON.self).memoryFile?.isChangePending == true)
    #expect(kho("inspect", path).text.contains("\n  a change is being made right now\n"))
    try expect(model)
    _ = try PreservedMemory.open(.init(path))
    let run = FrameRange(covering: model.run, in: .pages4KiB)
    model.blocks.subtract(NaturalBlocks(run, in: .pages4KiB, nodeStarts: []))
    try expect(model, generation: 1)
    #expect(
      try kho("inspect", "--json", path).json(InspectJSON.self).memoryFile?.isChangePending == false
    )
  }

  /// Another handover is being built, and both are shown.
  @Test func aTakeoverThatWasBegun() throws {
    _ = try fill()
    do {
      var takeover = try FreshTakeover(of: MemoryFile.open(.init(path), growableTo: 1 << 30))
      try takeover.keepRegion(named: "text")
      try expectNothingFound()
    }
    let report: InspectJSON = try kho("inspect", "--json", path).json()
    #expect(report.memoryFile?.isBuildingNext == true)
    #expect(report.handovers.map { $0.subtrees.map(\.name) }.map(\.count) == [4, 1])
    try expectNothingFound()
    _ = try PreservedMemory.open(.init(path))
    #expect(try kho("inspect", "--json", path).json(InspectJSON.self).handovers.count == 1)
    try expectNothingFound()
  }

  @Test func aFileWithoutHandover() throws {
    _ = try fill()
    var bytes = try Data(contentsOf: URL(filePath: path))
    // A file of zeros behind the magic of one: a header that is damaged.
    bytes.replaceSubrange(8..<bytes.count, with: Data(count: bytes.count - 8))
    try bytes.write(to: URL(filePath: path))
    try expectRefusal("the header of its superblock is damaged: the check value does not fit")
  }

  /// Every command says one sentence, with its own status, and leaves the file as it is.
  private func expectRefusal(_ sentence: String) throws {
    let before = try Data(contentsOf: URL(filePath: path))
    for (command, status) in [
      ("inspect", 3), ("owners", 3), ("pages", 3), ("check", 3),
    ] as [(String, Int32)] {
      let run = kho(command, path)
      #expect(run.status == status && run.output.isEmpty)
      #expect(run.errors == "kho: \(path): \(sentence)\n")
    }
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
  }

  /// Stores bytes in the file.
  private func patch(_ offset: Int, _ body: (inout UInt8) -> Void) throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    body(&bytes[offset])
    try bytes.write(to: URL(filePath: path))
  }

  @Test func damagedSuperblocks() throws {
    _ = try fill()
    let sound = try Data(contentsOf: URL(filePath: path))
    let check = "the check value does not fit"
    // The selector's low bytes choose the slot that counts.
    let slot = sound[64] == 0x01 ? 512 : 1024
    let cases: [(Int, String)] = [
      (9, "the header of its superblock is damaged: \(check)"),
      (17, "the header of its superblock is damaged: \(check)"),
      (slot + 16, "the state in its superblock is damaged: \(check)"),
      (slot + 511, "the state in its superblock is damaged: \(check)"),
    ]
    for (offset, sentence) in cases {
      try sound.write(to: URL(filePath: path))
      try patch(offset) { $0 ^= 4 }
      try expectRefusal(sentence)
    }
    try sound.write(to: URL(filePath: path))
    try patch(64) { $0 ^= 4 }
    let run = kho("check", path)
    #expect(run.status == 3)
    #expect(run.errors.contains("the word that selects the valid state is 0x"))
  }

  @Test func truncatedFiles() throws {
    let model = try fill()
    let sound = try Data(contentsOf: URL(filePath: path))
    for byteCount in [4096, 8192, sound.count - 1] {
      try sound.prefix(byteCount).write(to: URL(filePath: path))
      try expectRefusal(
        "a part is missing: the memory has \(model.byteCount) bytes, and the file \(byteCount)")
    }
    try sound.prefix(100).write(to: URL(filePath: path))
    try expectRefusal("its 100 bytes are too few for the superblock of a memory file")
  }

  /// A file whose header is whole, and says that it is of another layout.
  @Test func aNewerVersion() throws {
    _ = try fill()
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[8] = 3
    let check = Self.crc64(bytes[0..<56])
    for index in 0..<8 { bytes[56 + index] = UInt8(truncatingIfNeeded: check >> (8 * index)) }
    try bytes.write(to: URL(filePath: path))
    try expectRefusal(
      "it is a memory file of layout 3, which a newer version of this program wrote; this one "
        + "reads layouts 1 and 2")
  }

  /// CRC-64/XZ, bit by bit.
  private static func crc64(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var remainder = UInt64.max
    for byte in bytes {
      remainder ^= UInt64(byte)
      for _ in 0..<8 {
        let isOdd = remainder & 1 == 1
        remainder >>= 1
        if isOdd { remainder ^= 0xc96c_5795_d787_0f42 }
      }
    }
    return ~remainder
  }

  /// A device tree that is as well-formed as before, and another.
  @Test func aChangedDeviceTree() throws {
    _ = try fill()
    let report: InspectJSON = try kho("inspect", "--json", path).json()
    let address = try #require(report.handovers.first?.fdtAddress)
    let before = try Data(contentsOf: URL(filePath: path))
    let name = try #require(before.range(of: Data("large".utf8), in: Int(address)..<before.count))
    try patch(name.lowerBound) { $0 = UInt8(ascii: "b") }
    let run = kho("check", path)
    #expect(run.status == 1 && run.errors == "")
    let place = "0x\(String(address, radix: 16))"
    #expect(
      run.text
        == "handover at \(place): error fdt-changed: the root device tree at \(place) is not as it "
        + "was written: its check value does not fit\n")
    let json: CheckJSON = try kho("check", "--json", path).json()
    #expect(json.codes == ["fdt-changed"] && json.handovers[0].errorCount == 1)
    #expect(json.handovers[0].findings.map(\.address) == [address])
    #expect(kho("inspect", path).text.contains("error fdt-changed"))
    #expect(throws: PreservedMemoryError.self) { _ = try PreservedMemory.open(.init(path)) }
  }
}
