import Handover
import MemoryAccess

extension RecordsOfHandover {
  /// The members that a handover has for its records.
  var members: [JSONValue.Member] {
    var known: [String: JSONValue] = [:]
    var areas: [JSONValue] = []
    var collections: [JSONValue] = []
    var unknown: [JSONValue] = []
    for subtree in contents.subtrees {
      let error = subtree.error?.sentence
      switch subtree.record {
      case .memblock(let regions):
        known["memblock"] = JSONValue(["regions": regions.map(\.json), "error": error])
      case .kexecMetadata(let metadata):
        known["kexecMetadata"] = JSONValue([
          "previousRelease": metadata.previousRelease, "kexecCount": metadata.kexecCount,
        ])
      case .khoTest(let test): known["khoTest"] = test.json(error)
      case .liveUpdate(let contents): known["luo"] = json(of: contents, error)
      case .area(let area):
        areas.append(
          .object(
            [.init("name", .string(subtree.subtree.subtree.name))] + area.members
              + [.init("error", error.json)]))
      case .ledger(let ledger):
        known["ledger"] = JSONValue([
          "collectionCount": ledger.collectionCount, "pieceCount": ledger.pieceCount,
          "bytes": ledger.byteCount, "isChanging": ledger.isChanging,
        ])
      case .collection(let collection):
        collections.append(
          JSONValue([
            "name": subtree.subtree.subtree.name, "kind": collection.kind,
            "entryCount": collection.entryCount, "pieceCount": collection.pieceCount,
            "bytes": collection.byteCount,
          ]))
      case nil: unknown.append(subtree.json)
      }
    }
    let names = ["memblock", "kexecMetadata", "khoTest", "luo", "ledger"]
    return names.map { .init($0, known[$0] ?? .null) } + [
      .init("areas", .array(areas)), .init("collections", .array(collections)),
      .init("unknownBlobs", .array(unknown)),
      .init("omittedRecordCount", .number(contents.omittedRecordCount)),
    ]
  }

  private func json(of contents: LiveUpdateContents, _ error: String?) -> JSONValue {
    JSONValue([
      "compatible": contents.record.format == .structure ? "luo-v5" : "luo-v1",
      "updateNumber": contents.record.number,
      "sessionsAddress": contents.record.sessions,
      "sharedDataAddress": contents.record.sharedData, "blockCount": contents.blockCount,
      "sharedData": contents.sharedData.map { data in
        JSONValue(["name": data.name, "data": data.data, "fileCount": data.count])
      },
      "sessions": contents.sessions.map(json(of:)), "error": error,
    ])
  }

  private func json(of session: SessionContents) -> JSONValue {
    JSONValue([
      "name": session.session.name, "fileCount": session.session.fileCount,
      "blockCount": session.blockCount, "files": session.files.map(json(of:)),
      "error": session.error?.sentence,
    ])
  }

  private func json(of file: FileContents) -> JSONValue {
    let memfd = file.memfd
    return JSONValue([
      "handler": file.file.handler, "token": file.file.token, "data": file.file.data,
      "position": memfd?.record.position, "bytes": memfd?.record.byteSize,
      "seals": memfd?.record.seals, "flags": memfd?.record.flags,
      "folioCount": memfd?.record.folioCount, "holeCount": memfd?.holeCount,
      "dirtyFolioCount": memfd?.dirtyCount, "staleFolioCount": memfd?.staleCount,
      "folioBytes": memfd?.folioByteCount, "area": memfd.map { JSONValue.object($0.area.members) },
      "sha256": digests?[file.file.data],
      "pageMap": showsPageMaps ? memfd?.runs.map(\.json) : nil,
      "error": file.error?.sentence,
    ])
  }
}

extension MemblockRecord.Region {
  fileprivate var json: JSONValue {
    let region = try? result.get()
    var error: RecordError?
    if case .failure(let failure) = result { error = failure }
    return JSONValue([
      "name": name, "address": region?.range.start, "bytes": region?.range.byteCount,
      "error": error?.sentence,
    ])
  }
}

extension KHOTestContents {
  fileprivate func json(_ error: String?) -> JSONValue {
    JSONValue([
      "folioCount": record.folioCount, "checksum": record.checksum,
      "folios": folios.map { JSONValue(["address": $0.address, "order": $0.order]) },
      "area": JSONValue.object(area.members), "error": error,
    ])
  }
}

extension AreaContents {
  fileprivate var members: [JSONValue.Member] {
    [
      .init("firstChunkAddress", area.firstChunk.json), .init("pageCount", area.pageCount.json),
      .init("flags", UInt64(area.flags).json), .init("order", area.order.json),
      .init("chunkCount", chunkCount.json), .init("blockCount", blockCount.json),
    ]
  }
}

extension MemfdRun {
  fileprivate var json: JSONValue {
    JSONValue([
      "pageIndex": pageIndex, "address": address, "order": order, "folioCount": folioCount,
      "isDirty": isDirty, "isUpToDate": isUpToDate,
    ])
  }
}

extension SubtreeContents {
  fileprivate var json: JSONValue {
    JSONValue([
      "name": subtree.subtree.name, "address": subtree.subtree.address,
      "bytes": subtree.byteCount, "head": hexadecimal(head), "error": error?.sentence,
    ])
  }
}

/// `bytes` as pairs of digits.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
