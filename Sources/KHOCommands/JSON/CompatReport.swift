internal import KexecHandover

/// What `kho compat --json` prints: schema `kho-compat/1`.
struct CompatReport: Encodable {
  let schema = "kho-compat/1"
  let from: String
  let to: String
  /// `compatible`, `incompatible` or `unknown`.
  let verdict: String
  /// The name of the first format that stands in the way; null where none does.
  let firstObstacle: String?
  let formats: [Row]

  struct Row: Encodable {
    let name: String
    let verdict: String
    /// Null where it is not known, empty where there is none.
    let written: [String]?
    let writtenSource: String?
    let understood: [String]?
    let understoodSource: String?
    /// What B does then, in a sentence; null where it understands.
    let consequence: String?
    /// `deduced` or `unknown`: how that is known.
    let consequenceBasis: String?

    private enum CodingKeys: CodingKey {
      case name, verdict, written, writtenSource, understood, understoodSource, consequence
      case consequenceBasis
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(verdict, forKey: .verdict)
      try container.encode(written, forKey: .written)
      try container.encode(writtenSource, forKey: .writtenSource)
      try container.encode(understood, forKey: .understood)
      try container.encode(understoodSource, forKey: .understoodSource)
      try container.encode(consequence, forKey: .consequence)
      try container.encode(consequenceBasis, forKey: .consequenceBasis)
    }
  }

  init(_ result: Compatibility, _ writer: KernelFormats, _ reader: KernelFormats) {
    from = writer.name
    to = reader.name
    verdict = result.verdict.rawValue
    firstObstacle = result.firstObstacle?.name
    formats = result.rows.map { row in
      Row(
        name: row.name, verdict: row.verdict.rawValue, written: row.written.strings,
        writtenSource: row.written.sourceIfKnown, understood: row.understood.strings,
        understoodSource: row.understood.sourceIfKnown, consequence: row.consequence?.sentence,
        consequenceBasis: row.consequence?.basis.rawValue)
    }
  }

  private enum CodingKeys: CodingKey { case schema, from, to, verdict, firstObstacle, formats }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(from, forKey: .from)
    try container.encode(to, forKey: .to)
    try container.encode(verdict, forKey: .verdict)
    try container.encode(firstObstacle, forKey: .firstObstacle)
    try container.encode(formats, forKey: .formats)
  }
}

extension FormatFact {
  fileprivate var sourceIfKnown: String? { strings == nil ? nil : source }
}

/// What `kho compat --list --json` prints: schema `kho-compat-list/1`.
struct CatalogueReport: Encodable {
  let schema = "kho-compat-list/1"
  let releases: [Release]

  struct Release: Encodable {
    let release: String
    /// By the format's name; a format that is missing is not known.
    let formats: [String: Fact]
  }

  struct Fact: Encodable {
    /// Empty where the release has none of it.
    let strings: [String]
    let source: String
  }

  init() {
    releases = FormatCatalogue.releases.map { release in
      var formats: [String: Fact] = [:]
      for (format, fact) in release.facts {
        formats[format.rawValue] = fact.strings.map { Fact(strings: $0, source: fact.source) }
      }
      return Release(release: release.name, formats: formats)
    }
  }

  private enum CodingKeys: CodingKey { case schema, releases }
}
