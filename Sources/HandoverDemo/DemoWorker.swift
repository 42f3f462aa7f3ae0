package import KexecHandover
internal import Platform

/// What a generation of the demo does with the memory.
package struct DemoWorker {
  package let ledger: DemoLedger
  package let generation: UInt64
  package let capacity: UInt64
  package var random: SplitMix
  package var index = DemoIndex()

  package static let areaName = "demo-area"
  package static let blobCount = 16
  package static func blobName(_ number: Int) -> String { "blob-\(number)" }

  package init(
    _ memory: borrowing PreservedMemory, seed: UInt64, capacity: UInt64
  ) throws(DemoFailure) {
    generation = memory.generation
    self.capacity = capacity
    random = SplitMix(seed: SplitMix.mixed(seed &+ generation))
    let range: PhysicalRange?
    do throws(PreservedMemoryError) { range = try memory.region(named: DemoLedger.name) } catch {
      throw DemoFailure("the ledger cannot be found: \(error.sentence)")
    }
    guard let range else { throw DemoFailure("the ledger is gone") }
    ledger = DemoLedger(memory: memory.file, range: range)
    guard generation < ledger.generationCount else { throw DemoFailure("too many generations") }
  }

  /// Fills the memory, or checks everything in it and goes on; the generation `killed` works until
  /// it is.
  package mutating func run(_ memory: inout PreservedMemory, killed: UInt64) throws(DemoFailure) {
    ledger[generation, .process] = UInt64(getpid())
    ledger[generation, .phase] = DemoLedger.Phase.begun.rawValue
    if generation == 1 {
      try fill(&memory)
    } else {
      try verify(memory)
      ledger[generation, .phase] = DemoLedger.Phase.verified.rawValue
    }
    if generation > killed {
      try freeUnknownBlocks(&memory)
    } else if generation > 1 {
      var stepCount = 0
      while generation == killed || stepCount < 8 {
        try work(&memory, staysTheSame: generation == killed)
        stepCount += 1
        ledger[generation, .steps] = UInt64(stepCount)
      }
    }
    try count(memory)
    ledger[generation, .phase] = DemoLedger.Phase.done.rawValue
  }

  /// Says how much there is.
  private func count(_ memory: borrowing PreservedMemory) throws(DemoFailure) {
    do throws(MemoryContentsError) {
      let pages = try MemoryContents(reading: memory.file).survey?.pages
      ledger[generation, .entries] = pages?.entryCount ?? 0
      ledger[generation, .preservedBytes] = pages?.preservedByteCount ?? 0
      ledger[generation, .metadataBytes] = pages?.metadataByteCount ?? 0
    } catch {
      throw DemoFailure("the handover cannot be read: \(error.sentence)")
    }
  }
}
