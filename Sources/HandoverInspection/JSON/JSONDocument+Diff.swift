import Handover
import MemoryAccess

extension HandoverDiff.Side {
  /// The handover in a report.
  package var json: JSONValue {
    JSONValue([
      "path": name, "fdtAddress": survey.address, "compatible": survey.deviceTree?.compatible,
      "pageShift": survey.geometry.shift,
    ])
  }
}

extension HandoverDiff {
  /// What differs but for the entries, in a report: the members of `kho-diff/2` that come last.
  package func members(_ entries: EntryDifference) -> [JSONValue.Member] {
    return [
      .init(
        "properties",
        properties.map { JSONValue(["name": $0.name, "a": $0.a, "b": $0.b]) }.json),
      .init("blobs", blobs.map(\.json).json), .init("records", records.map(\.json).json),
      .init("onlyA", entries.onlyA.json), .init("onlyB", entries.onlyB.json),
      .init("common", entries.common.json), .init("areRecordsCut", areRecordsCut.json),
      .init("isSame", isSame(entries).json),
    ]
  }
}

extension JSONDocument {
  /// What differs between two handovers: schema `kho-diff/2`.
  ///
  /// - Complexity: O(runs of both); keeps every stretch of entries that only one has.
  public static func diff(_ diff: HandoverDiff) -> JSONValue {
    var ranges: [JSONValue] = []
    let entries = diff.forEachEntryRun { ranges.append($1.json(only: $0)) }
    return .object(
      [
        .init("schema", "kho-diff/2".json), .init("a", diff.a.json), .init("b", diff.b.json),
        .init("ranges", .array(ranges)),
      ] + diff.members(entries))
  }
}

extension SizedRun {
  /// A stretch of entries that only one handover has, in a report.
  package func json(only side: EntryDifference.Side) -> JSONValue {
    JSONValue([
      "only": side == .a ? "a" : "b", "address": address, "blockBytes": blockByteCount,
      "blockCount": blockCount, "bytes": byteCount,
    ])
  }
}

extension EntryDifference.Sum {
  fileprivate var json: JSONValue {
    JSONValue(["entryCount": entryCount, "bytes": byteCount])
  }
}

extension BlobDifference {
  fileprivate var json: JSONValue {
    func place(_ blob: HandoverSurvey.Subtree?) -> JSONValue? {
      blob.map { JSONValue(["address": $0.subtree.address, "bytes": $0.byteCount]) }
    }
    return JSONValue([
      "name": name, "a": place(a), "b": place(b), "hasDifferentBytes": bytesDiffer,
    ])
  }
}

extension RecordDifference {
  fileprivate var json: JSONValue {
    JSONValue(["title": title, "a": a?.json, "b": b?.json])
  }
}

extension DecodedRecord {
  /// The fields, named as members are: "kexec count" is `kexecCount`.
  fileprivate var json: JSONValue {
    .object(
      fields.map { field in
        let words = field.name.split(separator: " ")
        let name = words.enumerated().map { index, word in
          index == 0 ? String(word) : word.prefix(1).uppercased() + word.dropFirst()
        }.joined()
        switch field.value {
        case .text(let text): return .init(name, .string(text))
        case .number(let number), .byteCount(let number): return .init(name, .number(number))
        case .address(let address): return .init(name, .number(address.rawValue))
        }
      })
  }
}
