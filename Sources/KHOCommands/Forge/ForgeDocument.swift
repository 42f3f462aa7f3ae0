internal import KexecHandover
internal import SystemPackage

/// The JSON of a description: see `kho forge --help`.
struct ForgeDocument: Decodable {
  var machine: String?
  var pageSize: String?
  var memory: Number?
  var memoryStart: Number?
  var placement: [Range]?
  var scratch: [Range]?
  var metadata: Metadata?
  var liveUpdate: Number?
  var sessions: [Session]?
  var reserveMem: [Region]?
  var blobs: [Blob]?
  var test: Test?

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case machine, pageSize, memory, memoryStart, placement, scratch, metadata, liveUpdate
    case sessions, reserveMem, blobs, test
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.knownKeys(CodingKeys.self)
    machine = try values.decodeIfPresent(String.self, forKey: .machine)
    pageSize = try values.decodeIfPresent(String.self, forKey: .pageSize)
    memory = try values.decodeIfPresent(Number.self, forKey: .memory)
    memoryStart = try values.decodeIfPresent(Number.self, forKey: .memoryStart)
    placement = try values.decodeIfPresent([Range].self, forKey: .placement)
    scratch = try values.decodeIfPresent([Range].self, forKey: .scratch)
    metadata = try values.decodeIfPresent(Metadata.self, forKey: .metadata)
    liveUpdate = try values.decodeIfPresent(Number.self, forKey: .liveUpdate)
    sessions = try values.decodeIfPresent([Session].self, forKey: .sessions)
    reserveMem = try values.decodeIfPresent([Region].self, forKey: .reserveMem)
    blobs = try values.decodeIfPresent([Blob].self, forKey: .blobs)
    test = try values.decodeIfPresent(Test.self, forKey: .test)
    if let machine, machine != "x86_64", machine != "arm64" {
      throw values.wrong(.machine, "is \"x86_64\" or \"arm64\"")
    }
    if let pageSize, PageSizeArgument(argument: pageSize) == nil {
      throw values.wrong(.pageSize, "is \"4K\", \"16K\" or \"64K\"")
    }
  }

  /// A number, or text as on the command line.
  struct Number: Decodable {
    let value: UInt64

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(UInt64.self) {
        self.value = value
        return
      }
      guard let value = parseNumber(try container.decode(String.self)) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "is not a number or a size such as \"0x1000\" or \"2M\"")
      }
      self.value = value
    }
  }

  struct Range: Decodable {
    let range: PhysicalRange

    private enum CodingKeys: String, CodingKey, CaseIterable { case start, size }

    init(from decoder: any Decoder) throws {
      let values = try decoder.knownKeys(CodingKeys.self)
      let start = try values.decode(Number.self, forKey: .start).value
      let size = try values.decode(Number.self, forKey: .size).value
      guard let range = PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: size) else {
        throw values.wrong(.size, "reaches beyond the last address")
      }
      self.range = range
    }
  }

  struct Metadata: Decodable {
    let release: String
    let count: UInt32

    private enum CodingKeys: String, CodingKey, CaseIterable { case release, count }

    init(from decoder: any Decoder) throws {
      let values = try decoder.knownKeys(CodingKeys.self)
      release = try values.decode(String.self, forKey: .release)
      count = try values.decodeIfPresent(UInt32.self, forKey: .count) ?? 0
      let limit = KexecMetadata.largestReleaseByteCount
      guard release.utf8.count >= 1, release.utf8.count <= limit, !release.utf8.contains(0) else {
        throw values.wrong(.release, "has 1 to \(limit) bytes, none of them 0")
      }
    }
  }

  /// Where bytes come from.
  struct Contents: Decodable {
    let file: String?
    let text: String?

    private enum CodingKeys: String, CodingKey { case file, text }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      file = try values.decodeIfPresent(String.self, forKey: .file)
      text = try values.decodeIfPresent(String.self, forKey: .text)
      if file != nil, text != nil { throw values.wrong(.text, "and \"file\" exclude each other") }
    }

    func contents(relativeTo folder: FilePath) throws(ForgeError) -> ForgeContents {
      guard let file else { return .bytes(Array((text ?? "").utf8)) }
      return try ForgeContents(file: folder.pushing(FilePath(file)))
    }
  }

  struct Session: Decodable {
    let name: String
    let files: [File]

    private enum CodingKeys: String, CodingKey, CaseIterable { case name, files }

    init(from decoder: any Decoder) throws {
      let values = try decoder.knownKeys(CodingKeys.self)
      name = try values.decode(String.self, forKey: .name)
      files = try values.decodeIfPresent([File].self, forKey: .files) ?? []
    }
  }

  struct File: Decodable {
    let token: UInt64
    let contents: Contents
    let position: UInt64
    let seals: UInt32
    let folioOrder: Int

    private enum CodingKeys: String, CodingKey, CaseIterable {
      case token, file, text, position, seals, folioOrder
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.knownKeys(CodingKeys.self)
      token = try values.decode(Number.self, forKey: .token).value
      contents = try Contents(from: decoder)
      position = try values.decodeIfPresent(Number.self, forKey: .position)?.value ?? 0
      seals = try values.decodeIfPresent(UInt32.self, forKey: .seals) ?? 0
      folioOrder = try values.decodeIfPresent(Int.self, forKey: .folioOrder) ?? 0
      try values.checkOrder(folioOrder, .folioOrder)
    }
  }

  struct Region: Decodable {
    let name: String
    let size: UInt64
    let contents: Contents

    private enum CodingKeys: String, CodingKey, CaseIterable { case name, size, file, text }

    init(from decoder: any Decoder) throws {
      let values = try decoder.knownKeys(CodingKeys.self)
      name = try values.decode(String.self, forKey: .name)
      size = try values.decode(Number.self, forKey: .size).value
      contents = try Contents(from: decoder)
    }
  }

  struct Blob: Decodable {
    let name: String
    let contents: Contents

    private enum CodingKeys: String, CodingKey, CaseIterable { case name, file, text }

    init(from decoder: any Decoder) throws {
      let values = try decoder.knownKeys(CodingKeys.self)
      name = try values.decode(String.self, forKey: .name)
      contents = try Contents(from: decoder)
    }
  }

  struct Test: Decodable {
    let orders: [Int]
    let seed: UInt64
    let wrongSum: Bool

    private enum CodingKeys: String, CodingKey, CaseIterable { case orders, seed, wrongSum }

    init(from decoder: any Decoder) throws {
      let values = try decoder.knownKeys(CodingKeys.self)
      orders = try values.decode([Int].self, forKey: .orders)
      seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 1
      wrongSum = try values.decodeIfPresent(Bool.self, forKey: .wrongSum) ?? false
      for order in orders { try values.checkOrder(order, .orders) }
    }
  }

  /// What the document describes; files are named relative to `folder`.
  func description(relativeTo folder: FilePath) throws(ForgeError) -> ForgeDescription {
    var result = ForgeDescription()
    if machine == "arm64" { result.machine = .arm64 }
    if let size = pageSize.flatMap({ PageSizeArgument(argument: $0) }) {
      result.geometry = size.geometry
    }
    result.memoryByteCount = memory?.value
    result.memoryStart = memoryStart.map { PhysicalAddress($0.value) }
    result.placement = placement?.map(\.range) ?? []
    result.scratchAreas = scratch?.map(\.range) ?? []
    result.metadata = metadata.map {
      KexecMetadata(previousRelease: $0.release, kexecCount: $0.count)
    }
    if let liveUpdate {
      result.liveUpdateNumber = liveUpdate.value
      result.sessions = []
    }
    if let sessions {
      var described: [ForgeDescription.Session] = []
      for session in sessions {
        var files: [ForgeDescription.File] = []
        for file in session.files {
          var described = ForgeDescription.File(
            token: file.token, contents: try file.contents.contents(relativeTo: folder))
          described.position = file.position
          described.seals = file.seals
          described.folioOrder = PageOrder(file.folioOrder)
          files.append(described)
        }
        described.append(.init(name: session.name, files: files))
      }
      result.sessions = described
    }
    for region in reserveMem ?? [] {
      result.regions.append(
        .init(
          name: region.name, byteCount: region.size,
          contents: try region.contents.contents(relativeTo: folder)))
    }
    for blob in blobs ?? [] {
      result.blobs.append(
        .init(name: blob.name, contents: try blob.contents.contents(relativeTo: folder)))
    }
    if let test {
      var described = ForgeDescription.Test(orders: test.orders.map { PageOrder($0) })
      described.seed = test.seed
      described.isSumWrong = test.wrongSum
      result.test = described
    }
    return result
  }
}

extension Decoder {
  /// The values of an object that has no other keys than these.
  fileprivate func knownKeys<Key: CodingKey & CaseIterable>(
    _ keys: Key.Type
  ) throws -> KeyedDecodingContainer<Key> {
    for key in try container(keyedBy: AnyKey.self).allKeys
    where Key(stringValue: key.stringValue) == nil {
      let known = Key.allCases.map { "\"\($0.stringValue)\"" }.joined(separator: ", ")
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath + [key],
          debugDescription: "is not known; what can be said here is \(known)"))
    }
    return try container(keyedBy: keys)
  }
}

extension KeyedDecodingContainer {
  fileprivate func wrong(_ key: Key, _ sentence: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: codingPath + [key], debugDescription: sentence))
  }

  /// Linux's largest block has order 10.
  fileprivate func checkOrder(_ order: Int, _ key: Key) throws {
    guard (0...10).contains(order) else { throw wrong(key, "holds orders of 0 to 10") }
  }
}

/// Any key of an object.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
