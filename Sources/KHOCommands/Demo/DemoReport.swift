internal import KexecHandover

/// What became of the generations of the demo.
struct DemoReport {
  let seed: UInt64
  let memoryByteCount: UInt64
  /// The generation that was ended with SIGKILL.
  let killedGeneration: UInt64
  var generations: [DemoGeneration] = []
  /// Whether every checksum held.
  var isIntact = false
  /// What went wrong; nil where nothing did.
  var failure: String?
  let milliseconds: UInt64

  /// What `kho demo --json` prints: schema `kho-demo/2`.
  var json: JSONValue {
    JSONDocument.make(
      "kho-demo/2",
      [
        "seed": seed, "memoryBytes": memoryByteCount, "killedGeneration": killedGeneration,
        "milliseconds": milliseconds, "generations": generations.map(\.json),
        "isIntact": isIntact, "error": failure,
      ])
  }
}

/// One generation of the demo.
struct DemoGeneration {
  let generation: UInt64
  let process: UInt64
  /// How it came to the memory: `filled`, `exec` or `adopted`.
  let how: String
  /// What there was when it let go; null of one that did not come so far.
  let entryCount: UInt64?
  let preservedByteCount: UInt64?
  let metadataByteCount: UInt64?
  /// Checksums that held when it began, and the bytes that they stand for.
  let checksumCount: UInt64
  let checkedByteCount: UInt64
  /// From the instant before execve(2), or before the process was started; null of the first, which
  /// found nothing to check.
  let nanosecondsToFirstByte: UInt64?
  let nanosecondsToAll: UInt64?
  /// Blocks that the predecessor had allocated and not recorded when it was killed.
  let freedBlockCount: UInt64

  /// What the ledger says of a generation.
  init(_ generation: UInt64, in ledger: DemoLedger, killed: UInt64) {
    self.generation = generation
    process = ledger[generation, .process]
    how = generation == 1 ? "filled" : generation > killed ? "adopted" : "exec"
    let isCounted = ledger.phase(of: generation) == .done
    entryCount = isCounted ? ledger[generation, .entries] : nil
    preservedByteCount = isCounted ? ledger[generation, .preservedBytes] : nil
    metadataByteCount = isCounted ? ledger[generation, .metadataBytes] : nil
    checksumCount = ledger[generation, .checksums]
    checkedByteCount = ledger[generation, .checkedBytes]
    let start = ledger[generation, .start]
    let first = ledger[generation, .firstByte]
    let verified = ledger[generation, .verified]
    nanosecondsToFirstByte = first == 0 ? nil : first &- start
    nanosecondsToAll = verified == 0 ? nil : verified &- start
    freedBlockCount = ledger[generation, .freedBlocks]
  }

  var json: JSONValue {
    JSONValue([
      "generation": generation, "processID": process, "how": how, "entryCount": entryCount,
      "preservedBytes": preservedByteCount, "metadataBytes": metadataByteCount,
      "checksumCount": checksumCount, "checkedBytes": checkedByteCount,
      "firstByteNanoseconds": nanosecondsToFirstByte, "allBytesNanoseconds": nanosecondsToAll,
      "freedBlockCount": freedBlockCount,
    ])
  }
}
