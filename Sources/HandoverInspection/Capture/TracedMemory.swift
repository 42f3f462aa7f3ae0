import MemoryAccess
import MemoryImages

/// Memory that notes which parts of it are read.
///
/// So a capture holds what the readers read, whatever that is: they find the same in it.
final class TracedMemory: PhysicalMemory {
  private let memory: MemoryImage
  /// For 64 units of 4 KiB each: a bit for each unit of which a byte was read.
  private var units: [UInt64: UInt64] = [:]

  /// log2 of the smallest page of any machine that has KHO.
  private static let shift: UInt64 = 12

  init(_ memory: MemoryImage) { self.memory = memory }

  var byteCount: UInt64 { memory.byteCount }

  func contains(_ range: PhysicalRange) -> Bool { memory.contains(range) }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    memory.storedRange(atOrAfter: address)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try memory.withBytes(in: range) { bytes throws(Failure) in
      note(range)
      return try body(bytes)
    }
  }

  func finishedReading(_ range: PhysicalRange) { memory.finishedReading(range) }

  /// Says that `range` was read.
  func note(_ range: PhysicalRange) {
    guard let last = range.last else { return }
    var unit = range.start.rawValue &>> Self.shift
    let end = last.rawValue &>> Self.shift
    while unit <= end {
      // All bits of a word at once, where it is read as a whole.
      if unit & 63 == 0, end &- unit >= 63 {
        units[unit &>> 6] = .max
        unit &+= 64
      } else {
        units[unit &>> 6, default: 0] |= 1 &<< (unit & 63)
        unit &+= 1
      }
    }
  }

  /// What was read, in units of 4 KiB.
  var readMemory: MemoryMap {
    var map = MemoryMap()
    for (word, bits) in units.sorted(by: { $0.key < $1.key }) {
      var bits = bits
      while bits != 0 {
        let first = UInt64(bits.trailingZeroBitCount)
        let count = UInt64((~(bits &>> first)).trailingZeroBitCount)
        map.append(
          PhysicalRange(
            start: PhysicalAddress((word &<< 6 | first) &<< Self.shift),
            byteCount: count &<< Self.shift))
        bits &= first &+ count >= 64 ? 0 : .max &<< (first &+ count)
      }
    }
    return map
  }
}
