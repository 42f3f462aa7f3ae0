/// What the tool's JSON holds, number by number: a number that is no integer does not decode.
struct InspectJSON: Decodable {
  let schema: String
  /// Only of a memory file.
  let memoryFile: MemoryFile?
  let handovers: [Handover]

  struct MemoryFile: Decodable {
    let identity: String
    let generation: UInt64
    let byteCount: UInt64
    let writerProcess: UInt64
    let writerIsRunning: Bool
    let changePending: Bool
    let buildingNext: Bool
  }

  struct Handover: Decodable {
    let fdtAddress: UInt64?
    let compatible: String?
    let root: UInt64?
    let pageShift: Int
    let entryCount: UInt64
    let preservedBytes: UInt64
    let orders: [String: UInt64]
    let nodesByLevel: [UInt64]
    let metadataBytes: UInt64
    let subtrees: [Subtree]
    let findings: [FindingJSON]
    let omittedFindings: UInt64
    let error: String?
  }

  struct Subtree: Decodable {
    let name: String
    let address: UInt64
    let byteCount: UInt64?
    let preserved: Bool
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
    let omittedFindings: UInt64
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
    let byteCount: UInt64
  }
}
