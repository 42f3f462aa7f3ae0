internal import KexecHandover

/// The records in the schema `kho-inspect/1`.
extension RecordsOfHandover {
  /// The members that a handover has for its records.
  var json: [String: JSONValue] {
    var members: [String: JSONValue] = [
      "memblock": .null, "kexecMetadata": .null, "khoTest": .null, "luo": .null,
      "omittedRecords": .number(contents.omittedRecordCount),
    ]
    var areas: [JSONValue] = []
    var unknown: [JSONValue] = []
    for subtree in contents.subtrees {
      switch subtree.record {
      case .memblock(let regions):
        members["memblock"] = .object([
          "regions": .array(regions.map(\.json)), "error": .string(subtree.error?.sentence),
        ])
      case .kexecMetadata(let metadata):
        members["kexecMetadata"] = .object([
          "previousRelease": .string(metadata.previousRelease),
          "kexecCount": .number(metadata.kexecCount),
        ])
      case .khoTest(let test): members["khoTest"] = test.json(error: subtree.error)
      case .liveUpdate(let contents): members["luo"] = json(of: contents, error: subtree.error)
      case .area(let area):
        var json = area.json
        json["name"] = .string(subtree.subtree.subtree.name)
        json["error"] = .string(subtree.error?.sentence)
        areas.append(.object(json))
      case nil: unknown.append(subtree.json)
      }
    }
    members["areas"] = .array(areas)
    members["unknownBlobs"] = .array(unknown)
    return members
  }

  private func json(of contents: LiveUpdateContents, error: RecordError?) -> JSONValue {
    .object([
      "compatible": .string(contents.record.format == .structure ? "luo-v5" : "luo-v1"),
      "liveupdate_number": .number(contents.record.number),
      "sessions_pa": .number(contents.record.sessions.rawValue),
      "flbs_pa": .number(contents.record.sharedData.rawValue),
      "flbs": .array(contents.sharedData.map(\.json)),
      "sessions": .array(contents.sessions.map(json(of:))),
      "blocks": .number(contents.blockCount), "error": .string(error?.sentence),
    ])
  }

  private func json(of session: SessionContents) -> JSONValue {
    .object([
      "name": .string(session.session.name), "fileCount": .number(session.session.fileCount),
      "files": .array(session.files.map(json(of:))), "blocks": .number(session.blockCount),
      "error": .string(session.error?.sentence),
    ])
  }

  private func json(of file: FileContents) -> JSONValue {
    let record = file.memfd?.record
    var members: [String: JSONValue] = [
      "handler": .string(file.file.handler), "token": .number(file.file.token),
      "data": .number(file.file.data), "error": .string(file.error?.sentence),
      "position": .number(record?.position), "size": .number(record?.byteSize),
      "seals": .number(record?.seals), "flags": .number(record?.flags),
      "folios": .number(record?.folioCount), "holes": .number(file.memfd?.holeCount),
      "dirty": .number(file.memfd?.dirtyCount), "notUpToDate": .number(file.memfd?.staleCount),
      "folioBytes": .number(file.memfd?.folioByteCount),
      "area": file.memfd.map { .object($0.area.json) } ?? .null,
      "sha256": .string(digests?[file.file.data]), "map": .null,
    ]
    if showsPageMaps, let memfd = file.memfd { members["map"] = .array(memfd.runs.map(\.json)) }
    return .object(members)
  }
}

extension MemblockRecord.Region {
  fileprivate var json: JSONValue {
    let region = try? result.get()
    var error: RecordError?
    if case .failure(let failure) = result { error = failure }
    return .object([
      "name": .string(name), "start": .number(region?.range.start.rawValue),
      "size": .number(region?.range.byteCount), "error": .string(error?.sentence),
    ])
  }
}

extension KHOTestContents {
  fileprivate func json(error: RecordError?) -> JSONValue {
    .object([
      "folioCount": .number(record.folioCount), "checksum": .number(record.checksum),
      "folios": .array(
        folios.map {
          .object(["address": .number($0.address.rawValue), "order": .number($0.order.rawValue)])
        }),
      "area": .object(area.json), "error": .string(error?.sentence),
    ])
  }
}

extension AreaContents {
  fileprivate var json: [String: JSONValue] {
    [
      "firstChunk": .number(area.firstChunk.rawValue), "pages": .number(area.pageCount),
      "flags": .number(area.flags), "order": .number(area.order.rawValue),
      "chunks": .number(chunkCount), "blocks": .number(blockCount),
    ]
  }
}

extension LiveUpdateSharedData {
  fileprivate var json: JSONValue {
    .object(["name": .string(name), "data": .number(data), "count": .number(count)])
  }
}

extension MemfdRun {
  fileprivate var json: JSONValue {
    .object([
      "pageIndex": .number(pageIndex), "address": .number(address.rawValue),
      "order": .number(order?.rawValue), "folios": .number(folioCount), "dirty": .bool(isDirty),
      "upToDate": .bool(isUpToDate),
    ])
  }
}

extension SubtreeContents {
  fileprivate var json: JSONValue {
    .object([
      "name": .string(subtree.subtree.name), "address": .number(subtree.subtree.address.rawValue),
      "byteCount": .number(subtree.byteCount), "head": .string(hexadecimal(head)),
      "error": .string(error?.sentence),
    ])
  }
}

/// `bytes` as pairs of digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
