internal import KexecHandover

/// The parts of what `kho diff --json` prints: schema `kho-diff/1`.
enum DiffReport {
  struct Side: Encodable {
    let path: String
    let fdtAddress: UInt64?
    let compatible: String?
    let pageShift: Int

    init(_ side: HandoverDiff.Side) {
      path = side.name
      fdtAddress = side.survey.address?.rawValue
      compatible = side.survey.deviceTree?.compatible
      pageShift = side.survey.geometry.shift
    }

    private enum CodingKeys: CodingKey { case path, fdtAddress, compatible, pageShift }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(path, forKey: .path)
      try container.encode(fdtAddress, forKey: .fdtAddress)
      try container.encode(compatible, forKey: .compatible)
      try container.encode(pageShift, forKey: .pageShift)
    }
  }

  struct Property: Encodable {
    let name: String
    let a: String
    let b: String
  }

  struct Sum: Encodable {
    let entryCount: UInt64
    let byteCount: UInt64

    init(_ sum: EntryDifference.Sum) {
      entryCount = sum.entryCount
      byteCount = sum.byteCount
    }
  }

  struct Blob: Encodable {
    let name: String
    /// Null where A has none.
    let a: Place?
    let b: Place?
    /// Null where they cannot be compared.
    let bytesDiffer: Bool?

    init(_ blob: BlobDifference) {
      name = blob.name
      a = blob.a.map(Place.init)
      b = blob.b.map(Place.init)
      bytesDiffer = blob.bytesDiffer
    }

    private enum CodingKeys: CodingKey { case name, a, b, bytesDiffer }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(a, forKey: .a)
      try container.encode(b, forKey: .b)
      try container.encode(bytesDiffer, forKey: .bytesDiffer)
    }
  }

  struct Place: Encodable {
    let address: UInt64
    let byteCount: UInt64?

    init(_ subtree: HandoverSurvey.Subtree) {
      address = subtree.subtree.address.rawValue
      byteCount = subtree.byteCount
    }

    private enum CodingKeys: CodingKey { case address, byteCount }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(address, forKey: .address)
      try container.encode(byteCount, forKey: .byteCount)
    }
  }

  struct Record: Encodable {
    let title: String
    /// What it says; null where A has none.
    let a: [String: Value]?
    let b: [String: Value]?

    init(_ record: RecordDifference) {
      title = record.title
      a = record.a.map(Self.values)
      b = record.b.map(Self.values)
    }

    private static func values(_ record: DecodedRecord) -> [String: Value] {
      Dictionary(record.fields.map { ($0.name, Value($0.value)) }) { first, _ in first }
    }

    private enum CodingKeys: CodingKey { case title, a, b }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(title, forKey: .title)
      try container.encode(a, forKey: .a)
      try container.encode(b, forKey: .b)
    }
  }

  /// A number, or a text.
  enum Value: Encodable {
    case text(String)
    case number(UInt64)

    init(_ value: DecodedRecord.Value) {
      switch value {
      case .text(let text): self = .text(text)
      case .number(let number), .byteCount(let number): self = .number(number)
      case .address(let address): self = .number(address.rawValue)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      }
    }
  }
}
