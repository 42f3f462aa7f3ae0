internal import KexecHandover

/// Memory that counts how much of it was read, for the display of progress.
final class WatchedMemory: PhysicalMemory {
  private let memory: MemoryImage
  private let progress: CommandProgress
  private var readByteCount: UInt64 = 0
  private var nextReport = WatchedMemory.reportByteCount

  /// How many bytes are read between two looks at the clock.
  private static let reportByteCount: UInt64 = 1 << 16

  init(_ memory: MemoryImage, _ progress: CommandProgress) {
    self.memory = memory
    self.progress = progress
  }

  var byteCount: UInt64 { memory.byteCount }

  func contains(_ range: PhysicalRange) -> Bool { memory.contains(range) }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    memory.storedRange(atOrAfter: address)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    readByteCount &+= range.byteCount
    if readByteCount >= nextReport {
      nextReport = readByteCount &+ Self.reportByteCount
      progress.report(readByteCount)
    }
    return try memory.withBytes(in: range, body)
  }

  func finishedReading(_ range: PhysicalRange) { memory.finishedReading(range) }
}
