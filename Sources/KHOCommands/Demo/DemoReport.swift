internal import KexecHandover

/// What `kho demo --json` prints: schema `kho-demo/1`.
struct DemoReport: Encodable {
  let schema = "kho-demo/1"
  let seed: UInt64
  let memoryBytes: UInt64
  /// The generation that was ended with SIGKILL.
  let killedGeneration: UInt64
  var generations: [DemoGeneration] = []
  /// Whether every checksum held.
  var held = false
  /// What went wrong; null where nothing did.
  var failure: String?
  let milliseconds: UInt64

  private enum CodingKeys: CodingKey {
    case schema, seed, memoryBytes, killedGeneration, generations, held, failure, milliseconds
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(seed, forKey: .seed)
    try container.encode(memoryBytes, forKey: .memoryBytes)
    try container.encode(killedGeneration, forKey: .killedGeneration)
    try container.encode(generations, forKey: .generations)
    try container.encode(held, forKey: .held)
    try container.encode(failure, forKey: .failure)
    try container.encode(milliseconds, forKey: .milliseconds)
  }
}

/// One generation of the demo.
struct DemoGeneration: Encodable {
  let generation: UInt64
  let process: UInt64
  /// How it came to the memory: `filled`, `exec` or `adopted`.
  let how: String
  /// What there was when it let go; null of one that did not come so far.
  let entries: UInt64?
  let preservedBytes: UInt64?
  let metadataBytes: UInt64?
  /// Checksums that held when it began, and the bytes that they stand for.
  let checksums: UInt64
  let checkedBytes: UInt64
  /// From the instant before execve(2), or before the process was started; null of the first, which
  /// found nothing to check.
  let nanosecondsToFirstByte: UInt64?
  let nanosecondsToAll: UInt64?
  /// Blocks that the predecessor had allocated and not recorded when it was killed.
  let freedBlocks: UInt64

  private enum CodingKeys: CodingKey {
    case generation, process, how, entries, preservedBytes, metadataBytes, checksums, checkedBytes
    case nanosecondsToFirstByte, nanosecondsToAll, freedBlocks
  }

  /// What the ledger says of a generation.
  init(_ generation: UInt64, in ledger: DemoLedger, killed: UInt64) {
    self.generation = generation
    process = ledger[generation, .process]
    how = generation == 1 ? "filled" : generation > killed ? "adopted" : "exec"
    let isCounted = ledger.phase(of: generation) == .done
    entries = isCounted ? ledger[generation, .entries] : nil
    preservedBytes = isCounted ? ledger[generation, .preservedBytes] : nil
    metadataBytes = isCounted ? ledger[generation, .metadataBytes] : nil
    checksums = ledger[generation, .checksums]
    checkedBytes = ledger[generation, .checkedBytes]
    let start = ledger[generation, .start]
    let first = ledger[generation, .firstByte]
    let verified = ledger[generation, .verified]
    nanosecondsToFirstByte = first == 0 ? nil : first &- start
    nanosecondsToAll = verified == 0 ? nil : verified &- start
    freedBlocks = ledger[generation, .freedBlocks]
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(generation, forKey: .generation)
    try container.encode(process, forKey: .process)
    try container.encode(how, forKey: .how)
    try container.encode(entries, forKey: .entries)
    try container.encode(preservedBytes, forKey: .preservedBytes)
    try container.encode(metadataBytes, forKey: .metadataBytes)
    try container.encode(checksums, forKey: .checksums)
    try container.encode(checkedBytes, forKey: .checkedBytes)
    try container.encode(nanosecondsToFirstByte, forKey: .nanosecondsToFirstByte)
    try container.encode(nanosecondsToAll, forKey: .nanosecondsToAll)
    try container.encode(freedBlocks, forKey: .freedBlocks)
  }
}
