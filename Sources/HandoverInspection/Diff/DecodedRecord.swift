import Handover
public import MemoryAccess

/// What a record says, as names and values that can be compared.
public struct DecodedRecord: Equatable, Sendable {
  /// The value of a field.
  @nonexhaustive
  public enum Value: Hashable, Sendable {
    /// A text, as the image has it: control characters included.
    case text(String)
    /// A count, a position, or a set of flags.
    case number(UInt64)
    /// A size in bytes.
    case byteCount(UInt64)
    /// A physical address.
    case address(PhysicalAddress)
  }

  /// A field of the record.
  public struct Field: Hashable, Sendable {
    /// The name of the field.
    public let name: String
    /// Its value.
    public let value: Value
  }

  /// What distinguishes it from all others, such as `reserve_mem region "trace"`.
  public let title: String
  /// The fields, always in the same order.
  public let fields: [Field]
}

/// The records of a handover that are known, as far as they can be read.
struct DecodedRecords {
  private(set) var records: [DecodedRecord] = []
  /// Whether there were more.
  let isCut: Bool

  /// Reads the records of `side`; what cannot be read is left out, `kho check` shows why.
  init(of side: HandoverDiff.Side) {
    let contents = side.survey.contents(in: side.memory)
    isCut = contents.omittedRecordCount > 0
    for subtree in contents.subtrees {
      switch subtree.record {
      case .memblock(let regions): for region in regions { add(region) }
      case .kexecMetadata(let record):
        add(
          "kexec metadata",
          [
            ("previous release", .text(record.previousRelease)),
            ("kexec count", .number(UInt64(record.kexecCount))),
          ])
      case .liveUpdate(let contents): add(contents)
      case .collection(let collection):
        add(
          "collection \"\(subtree.subtree.subtree.name)\"",
          [
            ("kind", .text(collection.kind)), ("entries", .number(collection.entryCount)),
            ("memory", .byteCount(collection.byteCount)),
          ])
      case .khoTest, .area, .ledger, nil: continue
      }
    }
  }

  private mutating func add(_ title: String, _ fields: [(String, DecodedRecord.Value)]) {
    records.append(
      DecodedRecord(
        title: title, fields: fields.map { DecodedRecord.Field(name: $0.0, value: $0.1) }))
  }

  private mutating func add(_ region: MemblockRecord.Region) {
    guard case .success(let found) = region.result else { return }
    add(
      "reserve_mem region \"\(printable(region.name))\"",
      [("address", .address(found.range.start)), ("size", .byteCount(found.range.byteCount))])
  }

  private mutating func add(_ contents: LiveUpdateContents) {
    let record = contents.record
    add(
      "live update",
      [
        ("format", .text(record.format == .structure ? "luo-v5" : "luo-v1")),
        ("number", .number(record.number)),
      ])
    for session in contents.sessions {
      let name = "session \"\(printable(session.session.name))\""
      add(name, [("files", .number(session.session.fileCount))])
      for file in session.files {
        add("\(name), file \(file.file.token)", Self.fields(of: file))
      }
    }
  }

  private static func fields(of contents: FileContents) -> [(String, DecodedRecord.Value)] {
    let file = contents.file
    var fields: [(String, DecodedRecord.Value)] = [
      ("handler", .text(file.handler)), ("data", .address(PhysicalAddress(file.data))),
    ]
    if let memfd = contents.memfd {
      let record = memfd.record
      fields += [
        ("size", .byteCount(record.byteSize)), ("position", .number(record.position)),
        ("seals", .number(UInt64(record.seals))), ("flags", .number(UInt64(record.flags))),
        ("folios", .number(record.folioCount)), ("holes", .number(memfd.holeCount)),
        ("digest of the list of folios", .text("0x" + String(memfd.listDigest, radix: 16))),
      ]
    }
    return fields
  }
}

/// A record that is not the same in two handovers; nil on the side that has none.
public struct RecordDifference: Sendable {
  /// What distinguishes the record from all others.
  public let title: String
  /// The record in A; nil when A does not have it.
  public let a: DecodedRecord?
  /// The record in B; nil when B does not have it.
  public let b: DecodedRecord?

  /// The fields that differ, with their values on both sides; nil for one that a side does not have.
  public var fields: [(name: String, a: DecodedRecord.Value?, b: DecodedRecord.Value?)] {
    guard let a, let b else { return [] }
    return Pairing(a.fields, b.fields, by: \.name).pairs.filter { $0.a != $0.b }.map {
      (($0.a ?? $0.b)?.name ?? "", $0.a?.value, $0.b?.value)
    }
  }

  /// The records that differ, in the order of A, and then those that only B has.
  static func all(_ a: DecodedRecords, _ b: DecodedRecords) -> [RecordDifference] {
    Pairing(a.records, b.records, by: \.title).pairs.filter { $0.a != $0.b }.map { a, b in
      RecordDifference(title: (a ?? b)?.title ?? "", a: a, b: b)
    }
  }
}
