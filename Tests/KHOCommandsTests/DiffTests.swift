import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import KHOCommands

private struct DiffJSON: Decodable {
  let schema: String
  let a: Side
  let b: Side
  let ranges: [Run]
  let properties: [Property]
  let blobs: [Blob]
  let records: [Record]
  let onlyA: Sum
  let onlyB: Sum
  let common: Sum
  let isSame: Bool

  struct Side: Decodable {
    let path: String
    let fdtAddress: UInt64?
    let compatible: String?
  }

  struct Run: Decodable, Equatable {
    let only: String
    let address: UInt64
    let blockBytes: UInt64
    let blockCount: UInt64
    let bytes: UInt64
  }

  struct Property: Decodable {
    let name: String
    let a: String
    let b: String
  }

  struct Place: Decodable {
    let address: UInt64
    let bytes: UInt64?
  }

  struct Blob: Decodable {
    let name: String
    let a: Place?
    let b: Place?
    let hasDifferentBytes: Bool?
  }

  struct Record: Decodable {
    let title: String
    let a: [String: Value]?
    let b: [String: Value]?
  }

  enum Value: Decodable, Equatable {
    case text(String)
    case number(UInt64)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(UInt64.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }

  struct Sum: Decodable, Equatable {
    let entryCount: UInt64
    let bytes: UInt64
  }

  /// Every entry that only one side has, one by one.
  func entries(only side: String) -> Set<PhysicalBlock> {
    var entries: Set<PhysicalBlock> = []
    for run in ranges where run.only == side {
      for index in 0..<run.blockCount {
        let address = PhysicalAddress(run.address + index * run.blockBytes)
        let order = PageOrder(run.blockBytes.trailingZeroBitCount - 12)
        entries.insert(PhysicalBlock(address: address, order: order))
      }
    }
    return entries
  }
}

private func diff(_ arguments: String...) throws -> (status: Int32, report: DiffJSON) {
  let run = CommandRun(["diff", "--json"] + arguments)
  try #require(run.status != 2 && run.status != 3, "\(run.errors)")
  return (run.status, try run.json())
}

@Suite(.namesCombination) struct DiffTests {
  private static let v4 = Fixture(name: "linux-7.3-kho-v4")
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: Fixture.all) func aHandoverIsTheSameAsItself(_ fixture: Fixture) throws {
    let expected = try #require(
      try fixture.expectations().handovers.first { $0.readable == true })
    let (status, report) = try diff(fixture.path, fixture.path)
    #expect(status == 0 && report.isSame && report.schema == "kho-diff/2")
    #expect(report.ranges == [] && report.blobs.isEmpty && report.records.isEmpty)
    #expect(report.common.entryCount == expected.entryCount)
    #expect(report.common.bytes == expected.preservedBytes)
    let run = kho("diff", fixture.path, fixture.path)
    #expect(run.status == 0 && run.text.contains("no difference"))
  }

  /// Every pair of images, against sets of their entries.
  @Test func imagesAgainstEachOther() throws {
    func entries(_ fixture: Fixture) throws -> Set<PhysicalBlock> {
      let image = try HandoverImage.open(FilePath(fixture.path))
      let survey = try #require(image.surveys.first { $0.error == nil })
      var blocks: Set<PhysicalBlock> = []
      survey.pages?.forEachBlock(in: image.memory) { blocks.insert($0) }
      return blocks
    }
    for first in Fixture.all {
      for second in Fixture.all where first.name != second.name {
        let (status, report) = try diff(first.path, second.path)
        let (a, b) = (try entries(first), try entries(second))
        #expect(status == 1 && !report.isSame)
        #expect(report.entries(only: "a") == a.subtracting(b), "\(first) \(second)")
        #expect(report.entries(only: "b") == b.subtracting(a), "\(first) \(second)")
        #expect(report.common.entryCount == UInt64(a.intersection(b).count))
        #expect(report.onlyA.entryCount == UInt64(a.subtracting(b).count))
        let run = kho("diff", first.path, second.path)
        #expect(run.status == 1 && run.text.contains("only in A"))
      }
    }
  }

  @Test func onePageMoreAndOneLess() throws {
    var patient = try Patient(Self.v4)
    let spare = try #require(patient.spares.first)
    patient.flip(spare)
    patient.flip(spare + 4096)
    let path = try folder.write(patient.image.elf())
    let (status, report) = try diff(Self.v4.path, path)
    #expect(status == 1 && report.onlyB == .init(entryCount: 0, bytes: 0))
    #expect(
      report.ranges == [
        .init(only: "a", address: spare, blockBytes: 4096, blockCount: 2, bytes: 8192)
      ])
    let (_, turned) = try diff(path, Self.v4.path)
    #expect(turned.ranges.map(\.only) == ["b"])
    let run = kho("diff", Self.v4.path, path)
    #expect(run.text.contains("- ") && run.text.contains("0x" + String(spare, radix: 16)))
  }

  @Test func blobsAndRecords() throws {
    var patient = try Patient(Self.v4)
    let luo = try #require(patient.subtrees.first { $0.subtree.name == "LUO" })
    let metadata = try #require(patient.subtrees.first { $0.subtree.name == "kexec-metadata" })
    let (map, subtrees) = (patient.map, patient.subtrees)
    // Another number of live updates, a session by another name, a blob less and one more.
    patient.image.setWord(at: luo.subtree.address.rawValue + 8, to: 77)
    let sessions = patient.image.word(at: luo.subtree.address.rawValue + 16)
    patient.image.setByte(at: sessions + 16, to: UInt8(ascii: "X"))
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: "kho-v4")
      try writer.property("preserved-memory-map", nativeUInt64: map)
      for subtree in subtrees where subtree.subtree.name != "memblock" {
        try writer.beginNode(subtree.subtree.name)
        let isMoved = subtree.subtree.name == "kho_test"
        try writer.property(
          "preserved-data", nativeUInt64: subtree.subtree.address.rawValue + (isMoved ? 4096 : 0))
        try writer.property("blob-size", nativeUInt64: subtree.byteCount ?? 0)
        try writer.endNode()
      }
      try writer.beginNode("new\u{1b}[31m")
      try writer.property("preserved-data", nativeUInt64: metadata.subtree.address.rawValue)
      try writer.property("blob-size", nativeUInt64: 73)
      try writer.endNode()
    }
    let path = try folder.write(patient.image.elf())
    let (status, report) = try diff(Self.v4.path, path)
    #expect(status == 1 && report.ranges == [])
    func blob(_ name: String) -> DiffJSON.Blob? { report.blobs.first { $0.name == name } }
    #expect(report.blobs.count == 4)
    #expect(blob("memblock")?.b == nil && blob("memblock")?.a != nil)
    #expect(blob("new\u{1b}[31m")?.a == nil && blob("new\u{1b}[31m")?.b?.bytes == 73)
    #expect(
      blob("LUO")?.hasDifferentBytes == true && blob("LUO")?.a?.address == blob("LUO")?.b?.address)
    let moved = try #require(blob("kho_test"))
    #expect(moved.a?.address == (moved.b?.address ?? 0) - 4096)

    func record(_ title: String) -> DiffJSON.Record? { report.records.first { $0.title == title } }
    #expect(record("live update")?.b?["number"] == .number(77))
    let luoOf = try #require(try Self.v4.expectations().handovers[0].luo)
    let renamed = luoOf.sessions[0].name
    #expect(record("session \"\(renamed)\"").map { $0.a != nil && $0.b == nil } == true)
    let other = "session \"X\(renamed.dropFirst())\""
    #expect(record(other).map { $0.a == nil && $0.b != nil } == true)
    for file in luoOf.sessions[0].files {
      let value = record("session \"\(renamed)\", file \(file.token)")?.a
      #expect(value?["size"] == .number(file.size) && value?["data"] == .number(file.data))
      #expect(value?["handler"] == .text(file.handler))
      #expect(value?["seals"] == .number(UInt64(file.seals)))
    }
    // The other session is the same; so is the metadata.
    #expect(report.records.allSatisfy { !$0.title.contains(luoOf.sessions[1].name) })
    #expect(report.records.contains { $0.title.hasPrefix("reserve_mem") && $0.b == nil })
    let run = kho("diff", Self.v4.path, path)
    #expect(run.text.contains("other bytes") && !run.text.contains("\u{1b}"))
  }

  /// A folio that is elsewhere, has another place in the file, or other flags: the entries are the same.
  @Test(arguments: [0, 1] as [UInt64]) func listsOfFolios(word: UInt64) throws {
    var patient = try Patient(Self.v4)
    let memory = try Self.v4.open()
    let address = PhysicalAddress(patient.deviceTree)
    let survey = HandoverSurvey(.memory(address), in: memory, geometry: Patient.page)
    let contents = survey.contents(in: memory)
    let record = try #require(
      contents.subtrees.lazy.compactMap { subtree -> LiveUpdateContents? in
        if case .liveUpdate(let contents) = subtree.record { contents } else { nil }
      }.first)
    let session = try #require(record.sessions.first)
    let file = try #require(session.files.first { ($0.memfd?.folioCount ?? 0) > 2 })
    // The chunk: the next one, then the pages of the list, in which a folio takes two words.
    let chunk = try #require(file.memfd).area.area.firstChunk.rawValue
    let second = patient.image.word(at: chunk + 8) + 16 + word * 8
    patient.image.setWord(at: second, to: patient.image.word(at: second) ^ 1)
    let path = try folder.write(patient.image.elf())
    let (status, report) = try diff(Self.v4.path, path)
    #expect(status == 1 && report.ranges == [])
    #expect(
      report.records.map(\.title)
        == ["session \"\(session.session.name)\", file \(file.file.token)"])
  }

  @Test func memoryFiles() throws {
    let first = folder.path("first")
    let second = folder.path("second")
    var memory = try PreservedMemory(
      creating: .path(FilePath(first)), byteCount: 4 << 20, geometry: .pages4KiB)
    _ = try memory.makeRegion(named: "kept", byteCount: 5000)
    try FileManager.default.copyItem(atPath: first, toPath: second)
    #expect(try diff(first, second).status == 0)
    let block = try memory.allocate(PageOrder(2))
    let region = try memory.makeRegion(named: "new", byteCount: 64)
    let (status, report) = try diff(second, first)
    #expect(status == 1)
    #expect(report.blobs.map(\.name).contains("new"))
    let added = report.entries(only: "b")
    #expect(added.contains(block))
    #expect(added.contains { $0.range(in: .pages4KiB).contains(region) })
    // A file against an image.
    let (_, mixed) = try diff(first, Self.v4.path)
    #expect(mixed.common.entryCount == 0 && mixed.onlyB.entryCount == 471)
    withExtendedLifetime(memory) {}
  }

  /// Two handovers in one image, each chosen by its address.
  @Test func handoversAreChosen() throws {
    var patient = try Patient(Self.v4)
    let copy = try #require(patient.spares.first)
    patient.image.pages[copy] = patient.image.pages[patient.deviceTree]
    let path = try folder.write(patient.image.elf())
    let (lowest, highest) = (min(copy, patient.deviceTree), max(copy, patient.deviceTree))
    let run = kho("diff", path, Self.v4.path)
    #expect(run.status == 0 && run.errors.contains("of 2 handovers"))
    let (status, report) = try diff(
      "--fdt-address-a", "\(highest)", "--fdt-address-b", "\(lowest)", path, path)
    #expect(status == 0 && report.a.fdtAddress == highest && report.b.fdtAddress == lowest)
  }

  @Test func whatCannotBeReadIsNoDifference() throws {
    let empty = try folder.write([UInt8](repeating: 0, count: 8192))
    for pair in [
      [Self.v4.path, "/nonexistent"], ["/nonexistent", Self.v4.path], [empty, Self.v4.path],
      ["--base-a", "0", empty, Self.v4.path],
    ] {
      let run = CommandRun(["diff"] + pair)
      #expect(run.status == 3 && run.output.isEmpty && !run.errors.isEmpty, "\(pair)")
    }
    let chained = Fixture(name: "linux-7.3-kho-v4-chained").path
    #expect(kho("diff", "--fdt-address-a", "0x515000", chained, chained).status == 3)
    for arguments in [[], ["a"], ["a", "b", "c"], ["--page-size", "8K", "a", "b"]] {
      #expect(CommandRun(["diff"] + arguments).status == 2, "\(arguments)")
    }
  }
}

/// The walk over two at once, on small sets of blocks.
@Suite(.namesCombination) struct EntryDifferenceTests {
  private func runs(_ blocks: [PhysicalBlock], splitting generator: inout SeededGenerator)
    -> [SizedRun]
  {
    var runs: [SizedRun] = []
    for block in blocks.sorted() {
      let run = SizedRun(
        address: block.address.rawValue, log2ByteCount: 4 + Int(block.order.rawValue), blockCount: 1
      )
      // Readers give runs as long as can be; shorter ones must not matter.
      if let last = runs.last, let joined = last.joined(with: run), !generator.isOne(in: 4) {
        runs[runs.count - 1] = joined
      } else {
        runs.append(run)
      }
    }
    return runs
  }

  @Test func randomSets() throws {
    try withEvery("seed", in: 0..<400 as Range<UInt64>) { seed in
      var generator = SeededGenerator(seed: seed)
      func randomSet() -> Set<PhysicalBlock> {
        Set(
          (0..<generator.index(below: 40)).map { _ in
            let order = generator.index(below: 4)
            let number = UInt64(generator.index(below: 64 >> order))
            return PhysicalBlock(
              address: PhysicalAddress(number << UInt64(4 + order)), order: PageOrder(order))
          })
      }
      let (a, b) = (randomSet(), randomSet())
      var iteratorA = runs(Array(a), splitting: &generator).makeIterator()
      var iteratorB = runs(Array(b), splitting: &generator).makeIterator()
      var found: [(EntryDifference.Side, SizedRun)] = []
      let difference = EntryDifference({ iteratorA.next() }, { iteratorB.next() }) {
        found.append(($0, $1))
      }
      func blocks(_ side: EntryDifference.Side) -> [PhysicalBlock] {
        found.filter { $0.0 == side }.flatMap { _, run in
          (0..<run.blockCount).map { index in
            PhysicalBlock(
              address: PhysicalAddress(run.address + index * run.blockByteCount),
              order: PageOrder(run.log2ByteCount - 4))
          }
        }
      }
      try #require(blocks(.a).count == difference.onlyA.entryCount)
      try #require(Set(blocks(.a)) == a.subtracting(b))
      try #require(Set(blocks(.b)) == b.subtracting(a))
      try #require(blocks(.b).count == difference.onlyB.entryCount)
      try #require(difference.common.entryCount == a.intersection(b).count)
    }
  }

  /// At the very top of the address space nothing wraps.
  @Test func theTop() {
    let top = SizedRun(address: 0 &- 32, log2ByteCount: 4, blockCount: 2)
    #expect(top.last == .max)
    let behind = SizedRun(address: 0, log2ByteCount: 4, blockCount: 1)
    #expect(top.joined(with: behind) == nil)
    var runs = [top]
    var sides: [SizedRun] = []
    let difference = EntryDifference({ runs.popLast() }, { nil }) { sides.append($1) }
    #expect(sides == [top] && difference.onlyA.byteCount == 32)
  }
}
