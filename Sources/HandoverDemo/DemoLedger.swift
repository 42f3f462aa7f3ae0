package import KexecHandover
internal import Platform

/// What each generation records about itself: a region of preserved memory, so that it survives with the
/// rest, and the supervisor reads it while they work. Sixteen words a generation.
package struct DemoLedger {
  package static let name = "demo-ledger"
  private static let wordCount = 16

  package enum Field: Int {
    case phase, process
    /// When its predecessor let go, when the first checksum held, and when all did, in nanoseconds of
    /// CLOCK_MONOTONIC.
    case start, firstByte, verified
    case entries, preservedBytes, metadataBytes
    /// Checksums that held, and the bytes that they cover.
    case checksums, checkedBytes
    /// Times that the index was replaced.
    case steps
    /// Blocks that no index knew, and that were freed.
    case freedBlocks
  }

  package enum Phase: UInt64 {
    case notThere, begun, verified, done
    /// A checksum did not hold.
    case failed
  }

  package let memory: MemoryFile
  package let range: PhysicalRange

  package static func byteCount(generations: UInt64) -> UInt64 {
    (generations + 2) * UInt64(wordCount * 8)
  }

  /// How many generations it has room for.
  package var generationCount: UInt64 { range.byteCount / UInt64(Self.wordCount * 8) }

  package subscript(generation: UInt64, field: Field) -> UInt64 {
    get { withRecord(generation) { $0.load(field.rawValue) } }
    nonmutating set { withRecord(generation) { $0.publish(newValue, at: field.rawValue) } }
  }

  package func phase(of generation: UInt64) -> Phase {
    Phase(rawValue: self[generation, .phase]) ?? .failed
  }

  private func withRecord<Result>(
    _ generation: UInt64, _ body: (borrowing MemoryWords) -> Result
  ) -> Result {
    precondition(generation < generationCount, "a generation that the ledger has no room for")
    let offset = generation * UInt64(Self.wordCount * 8)
    return memory.withWords(
      at: range.start.advanced(byBytes: offset), count: Self.wordCount, body)
  }
}
