package import KexecHandover

/// What became of the generations of the demo.
package struct DemoReport {
  package let seed: UInt64
  package let memoryByteCount: UInt64
  /// The generation that was ended with SIGKILL.
  package let killedGeneration: UInt64
  package var generations: [DemoGeneration] = []
  /// Whether every checksum held.
  package var isIntact = false
  /// What went wrong; nil where nothing did.
  package var failure: String?
  package let milliseconds: UInt64

  /// What became of all generations of `run`.
  package init(_ run: DemoRun, failure: String?, milliseconds: UInt64) {
    seed = run.seed
    memoryByteCount = run.capacity
    killedGeneration = run.killed
    self.milliseconds = milliseconds
    generations = (1...run.killed + 1).filter { run.ledger[$0, .process] != 0 }
      .map { DemoGeneration($0, in: run.ledger, killed: run.killed) }
    isIntact = failure == nil
    self.failure = failure
  }

  /// What `kho demo --json` prints: schema `kho-demo/2`.
  package var json: JSONValue {
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
package struct DemoGeneration {
  package let generation: UInt64
  package let process: UInt64
  /// How it came to the memory: `filled`, `exec` or `adopted`.
  package let how: String
  /// What there was when it let go; null of one that did not come so far.
  package let entryCount: UInt64?
  package let preservedByteCount: UInt64?
  package let metadataByteCount: UInt64?
  /// Checksums that held when it began, and the bytes that they cover.
  package let checksumCount: UInt64
  package let checkedByteCount: UInt64
  /// From the instant before execve(2), or before the process was started; null of the first, which
  /// found nothing to check.
  package let nanosecondsToFirstByte: UInt64?
  package let nanosecondsToAll: UInt64?
  /// Blocks that the predecessor had allocated and not recorded when it was killed.
  package let freedBlockCount: UInt64

  /// A generation, as the ledger describes it.
  package init(_ generation: UInt64, in ledger: DemoLedger, killed: UInt64) {
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

  package var json: JSONValue {
    JSONValue([
      "generation": generation, "processID": process, "how": how, "entryCount": entryCount,
      "preservedBytes": preservedByteCount, "metadataBytes": metadataByteCount,
      "checksumCount": checksumCount, "checkedBytes": checkedByteCount,
      "firstByteNanoseconds": nanosecondsToFirstByte, "allBytesNanoseconds": nanosecondsToAll,
      "freedBlockCount": freedBlockCount,
    ])
  }
}
