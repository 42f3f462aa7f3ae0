internal import KexecHandover

/// What a record says, as names and values that can be compared.
struct DecodedRecord: Equatable {
  enum Value: Equatable {
    case text(String)
    case number(UInt64)
    case byteCount(UInt64)
    case address(PhysicalAddress)
  }

  /// One thing that it says.
  struct Field: Equatable {
    let name: String
    let value: Value
  }

  /// What tells it from all others, as `memblock region "trace"`.
  let title: String
  let fields: [Field]
}

/// The records of a handover that are known, as far as they can be read.
struct DecodedRecords {
  /// How many are read.
  static let limit = 1 << 16

  private(set) var records: [DecodedRecord] = []
  /// Whether there were more.
  private(set) var isCut = false

  /// Reads the records of `side`; what cannot be read is left out, `kho check` tells why.
  init(of side: DiffSide) {
    for subtree in side.survey.subtrees {
      let (address, byteCount) = (subtree.subtree.address, subtree.byteCount)
      switch subtree.subtree.name {
      case MemblockRecord.subtreeName:
        guard
          let record = try? MemblockRecord(at: address, byteCount: byteCount, in: side.memory)
        else { continue }
        for region in record.regions { add(region) }
      case KexecMetadata.subtreeName:
        guard let record = try? KexecMetadata(at: address, byteCount: byteCount, in: side.memory)
        else { continue }
        add(
          "kexec metadata",
          [
            ("previous release", .text(record.previousRelease)),
            ("kexec count", .number(UInt64(record.kexecCount))),
          ])
      case LiveUpdateRecord.subtreeName:
        guard
          let record = try? LiveUpdateRecord(at: address, byteCount: byteCount, in: side.memory)
        else { continue }
        add(
          "live update",
          [
            ("format", .text(record.format == .structure ? "luo-v5" : "luo-v1")),
            ("number", .number(record.number)),
          ])
        try? addSessions(of: record, side)
      default: continue
      }
    }
  }

  private mutating func add(_ title: String, _ fields: [(String, DecodedRecord.Value)]) {
    guard records.count < Self.limit else {
      isCut = true
      return
    }
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

  private mutating func addSessions(
    of record: LiveUpdateRecord, _ side: DiffSide
  ) throws(RecordError) {
    let geometry = side.survey.geometry
    var sessions = try LiveUpdateSessions(of: record, in: side.memory, geometry: geometry)
    while !isCut, let session = try sessions.next() {
      let name = "session \"\(printable(session.name))\""
      add(name, [("files", .number(session.fileCount))])
      var files = try LiveUpdateFiles(
        of: session, record.format, in: side.memory, geometry: geometry)
      while !isCut, let file = try files.next() {
        var fields: [(String, DecodedRecord.Value)] = [
          ("handler", .text(file.handler)), ("data", .address(PhysicalAddress(file.data))),
        ]
        if file.isMemfd,
          let memfd = try? MemfdRecord(
            at: PhysicalAddress(file.data), in: side.memory, geometry: geometry)
        {
          fields += [
            ("size", .byteCount(memfd.byteSize)), ("position", .number(memfd.position)),
            ("seals", .number(UInt64(memfd.seals))), ("flags", .number(UInt64(memfd.flags))),
            ("folios", .number(memfd.folioCount)),
          ]
        }
        add("\(name), file \(file.token)", fields)
      }
    }
  }
}

/// A record that is not the same in two handovers; nil on the side that has none.
struct RecordDifference {
  let title: String
  let a: DecodedRecord?
  let b: DecodedRecord?

  /// The records that differ, in the order of A, and then those that only B has.
  static func all(_ a: DecodedRecords, _ b: DecodedRecords) -> [RecordDifference] {
    Pairing(a.records, b.records, by: \.title).pairs.filter { $0.a != $0.b }.map { a, b in
      RecordDifference(title: (a ?? b)?.title ?? "", a: a, b: b)
    }
  }
}
