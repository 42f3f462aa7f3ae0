import Handover
import MemoryAccess

extension MemblockRecord.Region {
  var json: JSONValue {
    let region = try? result.get()
    var error: RecordError?
    if case .failure(let failure) = result { error = failure }
    return JSONValue([
      "name": name, "address": region?.range.start, "bytes": region?.range.byteCount,
      "error": error?.sentence,
    ])
  }
}

extension KexecMetadata {
  var json: JSONValue { JSONValue(["previousRelease": previousRelease, "kexecCount": kexecCount]) }
}

extension LedgerContents {
  var json: JSONValue {
    JSONValue([
      "collectionCount": collectionCount, "pieceCount": pieceCount, "bytes": byteCount,
      "isChanging": isChanging,
    ])
  }
}

extension CollectionContents {
  func json(of blob: SubtreeContents) -> JSONValue {
    JSONValue([
      "name": blob.subtree.subtree.name, "kind": kind, "entryCount": entryCount,
      "pieceCount": pieceCount, "bytes": byteCount,
    ])
  }
}

extension AreaContents {
  func json(of blob: SubtreeContents) -> JSONValue {
    .object(
      [.init("name", .string(blob.subtree.subtree.name))] + members
        + [.init("error", (blob.error?.sentence).json)])
  }

  var members: [JSONValue.Member] {
    [
      .init("firstChunkAddress", area.firstChunk.json), .init("pageCount", area.pageCount.json),
      .init("flags", UInt64(area.flags).json), .init("order", area.order.json),
      .init("chunkCount", chunkCount.json), .init("blockCount", blockCount.json),
    ]
  }
}

extension MemfdRun {
  var json: JSONValue {
    JSONValue([
      "pageIndex": pageIndex, "address": address, "order": order, "folioCount": folioCount,
      "isDirty": isDirty, "isUpToDate": isUpToDate,
    ])
  }
}

extension SubtreeContents {
  var json: JSONValue {
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
