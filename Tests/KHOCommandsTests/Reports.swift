/// What the tool's JSON holds, number by number: a number that is not an integer does not decode.
struct InspectJSON: Decodable {
  let schema: String
  /// Only of a memory file.
  let memoryFile: MemoryFile?
  let handovers: [Handover]

  struct MemoryFile: Decodable {
    let identity: String
    let generation: UInt64
    let bytes: UInt64
    let writerProcessID: UInt64
    let isWriterRunning: Bool
    let isChangePending: Bool
    let isBuildingNext: Bool
  }

  struct Handover: Decodable {
    let fdtAddress: UInt64?
    let compatible: String?
    let rootAddress: UInt64?
    let pageShift: Int
    let entryCount: UInt64
    let preservedBytes: UInt64
    let entryCountByOrder: [String: UInt64]
    let nodeCountByLevel: [UInt64]
    let metadataBytes: UInt64
    let subtrees: [Subtree]
    let findings: [FindingJSON]
    let omittedFindingCount: UInt64
    let error: String?
  }

  struct Subtree: Decodable {
    let name: String
    let address: UInt64
    let bytes: UInt64?
    let isPreserved: Bool
  }
}

struct FindingJSON: Decodable {
  let code: String
  let severity: String
  let address: UInt64?
  let level: Int?
  let message: String
}

struct CheckJSON: Decodable {
  let schema: String
  let handovers: [Handover]

  struct Handover: Decodable {
    let fdtAddress: UInt64?
    let errorCount: UInt64
    let findings: [FindingJSON]
    let omittedFindingCount: UInt64
  }

  var codes: Set<String> { Set(handovers.flatMap { $0.findings.map(\.code) }) }
}

struct PagesJSON: Decodable {
  let schema: String
  let handovers: [Handover]

  struct Handover: Decodable {
    let fdtAddress: UInt64?
    let pageShift: Int
    let entries: [Entry]?
    let ranges: [Run]?
  }

  struct Entry: Decodable, Equatable {
    let address: UInt64
    let order: UInt64
  }

  struct Run: Decodable {
    let address: UInt64
    let order: UInt64
    let blockCount: UInt64
    let bytes: UInt64
  }
}
