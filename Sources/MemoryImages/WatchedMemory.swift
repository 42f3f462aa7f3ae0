package import MemoryAccess

/// An image that counts how many of its bytes were read, for the display of progress.
package final class WatchedMemory: PhysicalMemory {
  private let memory: MemoryImage
  private let report: (UInt64) -> Void
  private var readByteCount: UInt64 = 0
  private var nextReport = WatchedMemory.reportByteCount

  /// How many bytes are read between two reports.
  private static let reportByteCount: UInt64 = 1 << 16

  /// The bytes of `memory`.
  ///
  /// - Parameter report: gets the number of bytes that were read so far, those that were read again counted again.
  package init(_ memory: MemoryImage, _ report: @escaping (UInt64) -> Void) {
    self.memory = memory
    self.report = report
  }

  package var byteCount: UInt64 { memory.byteCount }

  package func contains(_ range: PhysicalRange) -> Bool { memory.contains(range) }

  package func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    memory.storedRange(atOrAfter: address)
  }

  package func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    readByteCount &+= range.byteCount
    if readByteCount >= nextReport {
      nextReport = readByteCount &+ Self.reportByteCount
      report(readByteCount)
    }
    return try memory.withBytes(in: range, body)
  }

  package func finishedReading(_ range: PhysicalRange) { memory.finishedReading(range) }
}
