import Handover
import MemoryAccess
import PreservedPages
import ProcessHandover

extension JSONDocument {
  /// What each handover of `image` holds: schema `kho-inspect/2`.
  ///
  /// - Parameters:
  ///   - image: the image.
  ///   - records: what the blobs of its handovers hold, for each handover.
  public static func inspect(_ image: HandoverImage, _ records: [RecordsOfHandover]) -> JSONValue {
    make(
      "kho-inspect/2",
      [
        "memoryFile": image.memoryFile?.superblock.json,
        "handovers": records.map { handover($0, image.findings(of: $0)) },
        "otherRoots": image.otherRoots.map(\.json),
      ])
  }

  private static func handover(
    _ records: RecordsOfHandover, _ findings: [HandoverFinding]
  ) -> JSONValue {
    let survey = records.survey
    let orders = survey.ordersInUse.map { (order: $0.order.rawValue, count: $0.count) }
    let members: KeyValuePairs<String, any JSONConvertible> = [
      "fdtAddress": survey.address, "compatible": survey.deviceTree?.compatible,
      "rootAddress": survey.deviceTree?.map, "pageShift": survey.geometry.shift,
      "entryCount": survey.pages?.entryCount ?? 0,
      "preservedBytes": survey.pages?.preservedByteCount ?? 0,
      "entryCountByOrder": JSONValue(byOrder: orders),
      "nodeCountByLevel": survey.pages?.nodeCountByLevel ?? [],
      "metadataBytes": survey.pages?.metadataByteCount ?? 0,
      "subtrees": survey.subtrees.map(\.json), "findings": findings.map { $0.json },
      "omittedFindingCount": survey.omittedFindingCount &+ records.findings.omittedCount,
      "error": survey.error?.sentence,
    ]
    return .object(
      members.map { .init($0.key, $0.value.json) } + records.members)
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
