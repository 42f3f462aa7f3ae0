internal import KexecHandover

/// What `kho inspect --json` prints: schema `kho-inspect/1`.
struct InspectReport: Encodable {
  let schema = "kho-inspect/1"
  /// Only of a memory file.
  let memoryFile: MemoryFileReport?
  let handovers: [HandoverReport]

  init(_ image: HandoverImage, _ records: [RecordsOfHandover]) {
    memoryFile = image.memoryFile.map { MemoryFileReport($0.superblock) }
    handovers = records.map { HandoverReport($0, findings: image.findings(of: $0)) }
  }

  private enum CodingKeys: CodingKey { case schema, memoryFile, handovers }
}

/// One handover; counts are 0 where it could not be read.
struct HandoverReport: Encodable {
  let fdtAddress: UInt64?
  let compatible: String?
  let root: UInt64?
  let pageShift: Int
  let entryCount: UInt64
  let preservedBytes: UInt64
  let orders: [String: UInt64]
  /// Leaves first; of kho-v1, bitmaps and chunks.
  let nodesByLevel: [UInt64]
  let metadataBytes: UInt64
  let subtrees: [SubtreeReport]
  let findings: [FindingReport]
  /// How many findings there were beyond those listed.
  let omittedFindings: UInt64
  let error: String?
  /// What the blobs hold; members of this object.
  let records: JSONValue

  init(_ records: RecordsOfHandover, findings: [HandoverFinding]) {
    let survey = records.survey
    fdtAddress = survey.address?.rawValue
    compatible = survey.deviceTree?.compatible
    root = survey.deviceTree?.map?.rawValue
    pageShift = survey.geometry.shift
    entryCount = survey.pages?.entryCount ?? 0
    preservedBytes = survey.pages?.preservedByteCount ?? 0
    orders = Dictionary(
      uniqueKeysWithValues: survey.ordersInUse.map { ("\($0.order)", $0.count) })
    nodesByLevel = survey.pages?.nodeCountByLevel ?? []
    metadataBytes = survey.pages?.metadataByteCount ?? 0
    subtrees = survey.subtrees.map(SubtreeReport.init)
    self.findings = findings.map(FindingReport.init)
    omittedFindings = survey.omittedFindingCount &+ records.findings.omittedCount
    error = survey.error?.sentence
    self.records = .object(records.json)
  }

  private enum CodingKeys: CodingKey {
    case fdtAddress, compatible, root, pageShift, entryCount, preservedBytes, orders
    case nodesByLevel, metadataBytes, subtrees, findings, omittedFindings, error
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(fdtAddress, forKey: .fdtAddress)
    try container.encode(compatible, forKey: .compatible)
    try container.encode(root, forKey: .root)
    try container.encode(pageShift, forKey: .pageShift)
    try container.encode(entryCount, forKey: .entryCount)
    try container.encode(preservedBytes, forKey: .preservedBytes)
    try container.encode(orders, forKey: .orders)
    try container.encode(nodesByLevel, forKey: .nodesByLevel)
    try container.encode(metadataBytes, forKey: .metadataBytes)
    try container.encode(subtrees, forKey: .subtrees)
    try container.encode(findings, forKey: .findings)
    try container.encode(omittedFindings, forKey: .omittedFindings)
    try container.encode(error, forKey: .error)
    try records.encode(to: encoder)
  }
}

/// One registered blob.
struct SubtreeReport: Encodable {
  let name: String
  let address: UInt64
  /// As the device tree says; null where its version does not (kho-v1, kho-v2).
  let byteCount: UInt64?
  let preserved: Bool

  init(_ subtree: HandoverSurvey.Subtree) {
    name = subtree.subtree.name
    address = subtree.subtree.address.rawValue
    byteCount = subtree.subtree.byteCount
    preserved = subtree.isPreserved
  }

  private enum CodingKeys: CodingKey { case name, address, byteCount, preserved }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(address, forKey: .address)
    try container.encode(byteCount, forKey: .byteCount)
    try container.encode(preserved, forKey: .preserved)
  }
}
