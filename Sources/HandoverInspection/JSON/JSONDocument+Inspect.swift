import Handover
import MemoryAccess
import PreservedPages
import ProcessHandover

extension JSONDocument {
  /// Writes what each handover of `image` holds: schema `kho-inspect/2`.
  ///
  /// The records are written while they are read. None is left out, however many there are.
  ///
  /// - Parameters:
  ///   - image: the image.
  ///   - pageMaps: whether to write where each stretch of a memfd is.
  ///   - checksums: whether to read the files, and write their SHA-256.
  ///   - progress: called with the number of bytes of files read so far.
  ///   - write: takes a piece of the document, and returns false if it takes no more, which ends the reading.
  /// - Complexity: O(bytes of the records · log leaves · orders in use), and O(bytes of the files) for checksums.
  ///   Memory grows with the findings, the names and the pages that it compares, not with what is written.
  public static func writeInspect(
    _ image: HandoverImage, pageMaps: Bool = false, checksums: Bool = false,
    progress: @escaping (_ byteCount: UInt64) -> Void = { _ in },
    to write: @escaping (String) -> Bool
  ) {
    var json = JSONStream(to: write)
    json.beginObject()
    json.add("schema", "kho-inspect/2")
    json.add("memoryFile", image.memoryFile?.superblock.json)
    json.beginArray("handovers")
    for survey in image.surveys {
      let digests = checksums ? ContentDigests(image.memory, progress) : nil
      json.beginObject()
      json.add(survey.members)
      let findings = json.addRecords(of: survey, in: image, pageMaps, digests)
      json.add("findings", image.findings(of: survey, findings).map(\.json))
      json.add("omittedFindingCount", survey.omittedFindingCount &+ findings.omittedCount)
      json.add("error", survey.error?.sentence)
      json.endObject()
    }
    json.endArray()
    json.add("otherRoots", image.otherRoots.map(\.json))
    json.endObject()
    json.finish()
  }

  /// The document of ``writeInspect(_:pageMaps:checksums:progress:to:)`` as a line of UTF-8; `nil` if it has more than
  /// `byteLimit` bytes.
  ///
  /// - Complexity: as ``writeInspect(_:pageMaps:checksums:progress:to:)``, and as much memory as the document has bytes.
  package static func inspect(_ image: HandoverImage, atMost byteLimit: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    writeInspect(image) { piece in
      bytes += piece.utf8
      return bytes.count < byteLimit
    }
    bytes.append(0x0a)
    return bytes.count <= byteLimit ? bytes : nil
  }
}

extension JSONStream {
  /// Adds the members for the records of `survey`.
  ///
  /// - Returns: what is wrong with the records of a handover that could be read.
  fileprivate mutating func addRecords(
    of survey: HandoverSurvey, in image: HandoverImage, _ pageMaps: Bool, _ digests: ContentDigests?
  ) -> RecordFindingList {
    var receiver = RecordsJSON(to: self, survey.pages, writesRuns: pageMaps, digests: digests)
    var findings = RecordFindingList()
    if let pages = survey.pages {
      let reader = survey.readRecords(
        in: image.memory,
        ContentsReader(image.memory, pages, findsRuns: pageMaps, readsFolios: true, receiver))
      receiver = reader.receiver
      if survey.error == nil { findings = reader.findings }
    }
    receiver.finish()
    self = receiver.json
    return findings
  }
}

extension HandoverSurvey {
  /// The members that do not depend on records.
  fileprivate var members: [JSONValue.Member] {
    let orders = ordersInUse.map { (order: $0.order.rawValue, count: $0.count) }
    let members: KeyValuePairs<String, any JSONConvertible> = [
      "fdtAddress": address, "compatible": deviceTree?.compatible,
      "rootAddress": deviceTree?.map, "pageShift": geometry.shift,
      "entryCount": pages?.entryCount ?? 0,
      "preservedBytes": pages?.preservedByteCount ?? 0,
      "entryCountByOrder": JSONValue(byOrder: orders),
      "nodeCountByLevel": pages?.nodeCountByLevel ?? [],
      "metadataBytes": pages?.metadataByteCount ?? 0,
      "subtrees": subtrees.map(\.json),
    ]
    return members.map { .init($0.key, $0.value.json) }
  }
}

extension HandoverImage.OtherRoot {
  fileprivate var json: JSONValue {
    let (kind, original): (String, PhysicalAddress?) =
      switch self.kind {
      case .memoryFile: ("memory-file", nil)
      case .copy(let original): ("copy", original)
      case .superseded(let original): ("superseded", original)
      }
    return JSONValue(["fdtAddress": address, "kind": kind, "machineFdtAddress": original])
  }
}

extension HandoverSurvey.Subtree {
  fileprivate var json: JSONValue {
    JSONValue([
      "name": subtree.name, "address": subtree.address, "bytes": subtree.byteCount,
      "isPreserved": isPreserved,
    ])
  }
}

extension SuperblockContents {
  fileprivate var json: JSONValue {
    JSONValue([
      "identity": identity.text, "generation": state.generation, "bytes": state.byteCount,
      "writerProcessID": state.writer.processID, "isWriterRunning": state.writer.isRunning,
      "isChangePending": state.change != nil, "isBuildingNext": state.isBuildingNext,
    ])
  }
}

extension MemoryFileIdentity {
  /// The number as 32 hexadecimal digits.
  package var text: String { Self.digits(high) + Self.digits(low) }

  private static func digits(_ half: UInt64) -> String {
    let text = String(half, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
