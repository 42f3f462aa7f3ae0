import HandoverTestSupport
import KexecHandover
import Testing

private let geometry = PageGeometry.pages4KiB

/// Every bit of the records of the Live Update Orchestrator, flipped: which flips `check` reports, and which it
/// cannot detect. Of each block, the first two records and the last are flipped.
@Suite struct SilentFlipTests {
  /// The kinds of flips that `check` does not report, and why that is right.
  private static let silent: [String: String] = [
    "update number": "only a number for people",
    "name": "another name is valid too; the files are found under it",
    "behind a name": "nothing reads what follows a text's end",
    "token": "another token is valid too; the file is found under it",
    "position": "a position is any number; the content is whole",
    "size in its last page": "a file ends at any byte of its last page",
    "known seal": "each seal may be set or not",
    "known flag": "each flag may be set or not",
    "unused flag of a folio": "Linux reads two of the twelve bits",
    "state of a folio, 7.1":
      "up to 7.1, a folio that was allocated and not used is passed on as such",
    "further empty folios": "an entry of zeros is passed over",
    "area flags":
      "Linux knows two flags of an area; the same pages are restored with and without them",
    "area of no folios": "Linux does not read the area of a file without folios",
    "record of zeros": "a preserved page of zeros reads as the record of an empty file",
  ]

  /// The last fixture has no sessions, and few bits.
  @Test(
    arguments: [
      ("linux-7.1-kho-v3", 2000), ("linux-7.3-kho-v4", 2000), ("linux-7.3-kho-v4-chained", 200),
    ])
  func everyBitOfEveryRecord(name: String, least: Int) throws {
    let fixture = Fixture(name: name)
    let memory = MemoryCopy(of: try fixture.open())
    var found: Set<String> = []
    var flipCount = 0
    for handover in try fixture.expectations().handovers where handover.readable == true {
      let survey = HandoverSurvey(
        .memory(PhysicalAddress(handover.fdtAddress)), in: memory, geometry: geometry)
      guard let blob = survey.subtrees.first(where: { $0.subtree.name == "LUO" }) else { continue }
      try #require(survey.checkRecords(in: memory).findings == [])
      let fields = try Fields(of: blob.subtree.address, in: memory)
      for field in fields.all {
        for byte in 0..<field.byteCount {
          let place = field.place.advanced(byBytes: UInt64(byte))
          for bit in 0..<8 {
            memory.flip(bit: bit, at: place)
            flipCount += 1
            let findings = survey.checkRecords(in: memory)
            memory.flip(bit: bit, at: place)
            guard findings.findings.isEmpty else { continue }
            let kind = field.kind(byte, bit, memory)
            found.insert(kind)
            #expect(Self.silent[kind] != nil, "\(kind), byte \(byte) bit \(bit) at \(place)")
          }
        }
      }
    }
    #expect(flipCount > least)
    #expect(least < 2000 || found.isSuperset(of: ["name", "token", "position"]))
  }
}

/// A field of a record: where it is stored, and what it is called.
private struct Field {
  enum Shape {
    case text, size, seals, flags, folio(isStructure: Bool), folioCount, data, area(isEmpty: Bool),
      plain
  }

  let name: String
  let place: PhysicalAddress
  let byteCount: Int
  let shape: Shape

  private static func byte(_ place: PhysicalAddress, _ memory: MemoryCopy) -> UInt8? {
    memory.withBytes(in: PhysicalRange(start: place, byteCount: 1)) { $0.copiedBytes().first }
      ?? nil
  }

  /// The kind of change that flipping this bit makes.
  func kind(_ byte: Int, _ bit: Int, _ memory: MemoryCopy) -> String {
    switch shape {
    case .plain: return name
    case .text:
      // Behind the first zero byte, which ends the text.
      for index in 0..<byte where Self.byte(place.advanced(byBytes: UInt64(index)), memory) == 0 {
        return "behind a name"
      }
      return name
    case .size:
      // Whether the file still has as many pages.
      let size = memory.word(at: place) ?? 0
      let other = size ^ (1 << UInt64(8 * byte + bit))
      return (size + 4095) / 4096 == (other + 4095) / 4096 ? "size in its last page" : name
    case .seals: return 8 * byte + bit < 6 ? "known seal" : name
    case .flags: return 8 * byte + bit < 5 ? "known flag" : name
    case .folio(let isStructure):
      let bit = 8 * byte + bit
      if bit >= 54 { return "unused flag of a folio" }
      return bit >= 52 && !isStructure ? "state of a folio, 7.1" : name
    case .folioCount:
      return (memory.word(at: place) ?? 0) >> UInt64(8 * byte + bit) & 1 == 0
        ? "further empty folios" : name
    case .data:
      let other = (memory.word(at: place) ?? 0) ^ (1 << UInt64(8 * byte + bit))
      let isZero = (0..<6).allSatisfy {
        memory.word(at: PhysicalAddress(other &+ UInt64(8 * $0))) == 0
      }
      return isZero && other & 4095 == 0 ? "record of zeros" : name
    case .area(let isEmpty): return isEmpty ? "area of no folios" : name
    }
  }
}

/// The fields of all records, found by their layout alone.
private struct Fields {
  private(set) var all: [Field] = []
  private let memory: MemoryCopy
  /// Whether the record is that of 7.2 and 7.3.
  private let isStructure: Bool

  init(of blob: PhysicalAddress, in memory: MemoryCopy) throws {
    self.memory = memory
    isStructure = memory.word(at: blob).map { $0.littleEndian == 0x35_762d_6f75_6c } == true
    if isStructure {
      add("compatible", blob, 8, .text)
      add("update number", blob.advanced(byBytes: 8), 8)
      add("sessions", blob.advanced(byBytes: 16), 8)
      add("shared data", blob.advanced(byBytes: 24), 8)
      try addBlocks(blob.advanced(byBytes: 16), size: 80) { fields, place in
        try fields.addSession(place, isStructure: true)
      }
    } else {
      // A device tree; its addresses of headers come out of the public reader.
      let record = try LiveUpdateRecord(at: blob, byteCount: nil, in: memory)
      guard record.sessions != .zero else { return }
      add("session count", record.sessions, 8)
      let count = try #require(memory.word(at: record.sessions))
      for index in Self.picked(count) {
        try addSession(
          record.sessions.advanced(byBytes: UInt64(8 + 80 * index)), isStructure: false)
      }
    }
  }

  /// The first two records of a block and its last. The records between them are alike.
  private static func picked(_ count: UInt64) -> [Int] {
    (0..<Int(count)).filter { $0 < 2 || $0 == Int(count) - 1 }
  }

  private mutating func add(
    _ name: String, _ place: PhysicalAddress, _ byteCount: Int, _ shape: Field.Shape = .plain
  ) {
    all.append(Field(name: name, place: place, byteCount: byteCount, shape: shape))
  }

  private mutating func addBlocks(
    _ pointer: PhysicalAddress, size: Int, _ body: (inout Fields, PhysicalAddress) throws -> Void
  ) throws {
    var next = PhysicalAddress(try #require(memory.word(at: pointer)))
    while next != .zero {
      add("next block", next, 8)
      add("block count", next.advanced(byBytes: 8), 8)
      let count = try #require(memory.word(at: next.advanced(byBytes: 8)))
      for index in Self.picked(count) {
        try body(&self, next.advanced(byBytes: UInt64(16 + size * index)))
      }
      next = PhysicalAddress(try #require(memory.word(at: next)))
    }
  }

  private mutating func addSession(_ place: PhysicalAddress, isStructure: Bool) throws {
    add("name", place, 64, .text)
    add("files", place.advanced(byBytes: 64), 8)
    add("file count", place.advanced(byBytes: 72), 8)
    if isStructure {
      try addBlocks(place.advanced(byBytes: 64), size: 64) { try $0.addFile($1) }
      return
    }
    let files = PhysicalAddress(try #require(memory.word(at: place.advanced(byBytes: 64))))
    let count = try #require(memory.word(at: place.advanced(byBytes: 72)))
    for index in Self.picked(count) { try addFile(files.advanced(byBytes: UInt64(64 * index))) }
  }

  private mutating func addFile(_ place: PhysicalAddress) throws {
    add("handler", place, 48, .text)
    add("data", place.advanced(byBytes: 48), 8, .data)
    add("token", place.advanced(byBytes: 56), 8)
    let record = PhysicalAddress(try #require(memory.word(at: place.advanced(byBytes: 48))))
    // Four files are enough: the others are alike.
    guard all.count(where: { $0.name == "seals" }) < 4 else { return }
    add("position", record, 8)
    add("size", record.advanced(byBytes: 8), 8, .size)
    add("seals", record.advanced(byBytes: 16), 4, .seals)
    add("flags", record.advanced(byBytes: 20), 4, .flags)
    add("folio count", record.advanced(byBytes: 24), 8, .folioCount)
    let folios = try MemfdRecord(at: record, in: memory, geometry: geometry)
    let area = Field.Shape.area(isEmpty: folios.folioCount == 0)
    add("chunk", record.advanced(byBytes: 32), 8, area)
    add("page count", record.advanced(byBytes: 40), 4, area)
    add("area flags", record.advanced(byBytes: 44), 2, area)
    add("area order", record.advanced(byBytes: 46), 2, area)
    guard folios.folioCount > 0 else { return }
    let chunk = PhysicalAddress(try #require(memory.word(at: record.advanced(byBytes: 32))))
    add("next chunk", chunk, 8)
    add("block of folios", chunk.advanced(byBytes: 8), 8)
    let list = PhysicalAddress(try #require(memory.word(at: chunk.advanced(byBytes: 8))))
    for index in 0..<Int(min(folios.folioCount, 6)) {
      add("folio", list.advanced(byBytes: UInt64(16 * index)), 8, .folio(isStructure: isStructure))
      add("folio's page", list.advanced(byBytes: UInt64(16 * index + 8)), 8)
    }
  }
}
