import MemoryAccess

/// Whether one kernel understands what another hands over, format by format.
public struct Compatibility: Sendable {
  /// Whether the reader understands the writer.
  public enum Verdict: String, Sendable {
    case compatible, incompatible, unknown
  }

  /// The comparison of one format.
  public struct Row: Sendable {
    /// A ``HandoverFormat``'s name, or `page-size`, or `blob NAME`.
    public let name: String
    /// The format for people.
    public let title: String
    /// What the writer writes.
    public let written: FormatFact
    /// What the reader understands.
    public let understood: FormatFact
    /// Whether the reader understands what is written.
    public let verdict: Verdict
    /// What B does with what it does not understand; nil where it understands, or A writes none.
    public let consequence: Consequence?
  }

  /// What follows, and how that is known.
  public struct Consequence: Equatable, Sendable {
    /// How something is known.
    @nonexhaustive
    public enum Basis: String, Sendable {
      /// It follows from the layouts on both sides.
      case deduced
      /// A kernel did it in the lab, Lab/Tests.
      case seen
      /// No source describes it.
      case unknown
    }

    /// How it is known.
    public let basis: Basis
    /// What follows, in a sentence.
    public let sentence: String
  }

  /// The kernel that hands over.
  public let writer: KernelFormats
  /// The kernel that takes over.
  public let reader: KernelFormats
  /// A row for each format that the writer uses, the most important first.
  public let rows: [Row]

  /// Of all rows: one that is incompatible makes all of it so.
  public var verdict: Verdict {
    if rows.contains(where: { $0.verdict == .incompatible }) { return .incompatible }
    return rows.contains { $0.verdict == .unknown } ? .unknown : .compatible
  }

  /// The first incompatible row, or, if all known rows are compatible, the first unknown one.
  public var firstObstacle: Row? {
    rows.first { $0.verdict == .incompatible } ?? rows.first { $0.verdict == .unknown }
  }

  /// Compares what `writer` writes with what `reader` reads.
  public init(from writer: KernelFormats, to reader: KernelFormats) {
    self.writer = writer
    self.reader = reader
    var rows: [Row] = []
    if let written = writer.pageShift, let understood = reader.pageShift {
      rows.append(Self.pageSizeRow(written, understood, writer, reader))
    }
    for format in HandoverFormat.allCases {
      let written = writer.writes[format] ?? .unknown
      let understood = reader.reads[format] ?? .unknown
      // What A does not have, B need not understand; nor what is unknown on both sides.
      if written.strings?.isEmpty == true { continue }
      if format == .chunkBitmap, writer.writes[.root]?.strings != ["kho-v1"] { continue }
      rows.append(Self.row(format, written, understood))
    }
    for name in writer.foreignBlobs {
      rows.append(
        Row(
          name: "blob \(name)", title: "blob \"\(printable(name))\"",
          written: FormatFact(["unknown format"], writer.name), understood: .unknown,
          verdict: .unknown,
          consequence: Consequence(
            basis: .unknown, sentence: "whether anyone in B takes this blob is not known")))
    }
    self.rows = rows
  }

  private static func row(
    _ format: HandoverFormat, _ written: FormatFact, _ understood: FormatFact
  ) -> Row {
    var verdict = Verdict.unknown
    var consequence: Consequence?
    if let strings = written.strings, let known = understood.strings {
      let missing = strings.filter { !known.contains($0) }
      verdict = missing.isEmpty ? .compatible : .incompatible
      if !missing.isEmpty {
        consequence = format.consequence(ofWriting: missing, toReaderOf: known)
      }
    } else {
      let side = written.strings == nil ? "A writes" : "B reads"
      consequence = Consequence(basis: .unknown, sentence: "what \(side) is not known")
    }
    return Row(
      name: format.rawValue, title: format.title, written: written, understood: understood,
      verdict: verdict, consequence: consequence)
  }

  private static func pageSizeRow(
    _ written: Int, _ understood: Int, _ writer: KernelFormats, _ reader: KernelFormats
  ) -> Row {
    func fact(_ shift: Int, _ name: String) -> FormatFact {
      FormatFact([byteText((1 as UInt64) << UInt64(shift))], name)
    }
    return Row(
      name: "page-size", title: "page size", written: fact(written, writer.name),
      understood: fact(understood, reader.name),
      verdict: written == understood ? .compatible : .incompatible,
      consequence: written == understood
        ? nil
        : Consequence(
          basis: .deduced,
          sentence: "the shape of the tree follows from the page size, which a handover does not "
            + "record: B looks for A's nodes and blocks in the wrong places"))
  }
}

extension HandoverFormat {
  /// What a reader of `known` does with `missing`.
  fileprivate func consequence(
    ofWriting missing: [String], toReaderOf known: [String]
  ) -> Compatibility.Consequence {
    let written = missing.map { "\"\(printable($0))\"" }.joined(separator: ", ")
    switch self {
    case .root where known == ["kho-v4"]:
      return .init(
        basis: .seen,
        sentence:
          "B prints that \(written) is incompatible with 'kho-v4', and boots without it: everything "
          + "that A preserved is lost")
    case .root:
      return .init(
        basis: .deduced,
        sentence: "B does not know \(written), so it cannot walk to the entries: nothing that A "
          + "preserved is found. Whether B then boots on without it or stops is not known")
    case .chunkBitmap:
      return known == ["a page"]
        ? .init(
          basis: .deduced,
          sentence: "the version is the same, so B accepts it, and takes the bytes behind each "
            + "bitmap of 512 bytes for more marks: it keeps blocks that were not preserved")
        : .init(
          basis: .deduced,
          sentence:
            "the version is the same, so B accepts it, and reads only the first 512 bytes of "
            + "each bitmap: blocks marked behind them are free memory to B, which overwrites them")
    case .kexecMetadata, .selfTest:
      return .init(
        basis: .unknown,
        sentence:
          "no preserved memory depends on it; whether B says anything about \(written) is not "
          + "known")
    case .memblock, .reservedRegion, .liveUpdate, .liveUpdateSession, .sharedData, .file:
      return .init(
        basis: .unknown,
        sentence:
          "B walks the tree and keeps the pages, but no part of it takes \(written); what it does "
          + "then, and whether the pages are ever freed, is not known")
    }
  }
}
