package import KexecHandover

/// A copy of an image in which a test may change any byte.
package final class MemoryCopy: PhysicalMemory {
  private var runs: [(range: PhysicalRange, bytes: [UInt8])] = []
  /// What the image says of bytes that it does not store: holes read as zeros.
  private let imageContains: (PhysicalRange) -> Bool
  private let imageBytes: (PhysicalRange) -> [UInt8]?

  /// Copies everything that `image` stores.
  package init(of image: some PhysicalMemory) {
    imageContains = { image.contains($0) }
    imageBytes = { range in image.withBytes(in: range) { $0.copiedBytes() } }
    var next: PhysicalAddress? = .zero
    while let from = next, let range = image.storedRange(atOrAfter: from), let last = range.last {
      if let bytes = image.withBytes(in: range, { $0.copiedBytes() }) {
        // Runs that touch become one, so that a range across their border can be read.
        if let tail = runs.last?.range.last, tail.rawValue &+ 1 == range.start.rawValue {
          let joined = runs[runs.count - 1].bytes + bytes
          let start = runs[runs.count - 1].range.start
          runs[runs.count - 1] = (
            PhysicalRange(start: start, byteCount: UInt64(joined.count)), joined
          )
        } else {
          runs.append((range, bytes))
        }
      }
      next = last.rawValue == .max ? nil : PhysicalAddress(last.rawValue + 1)
    }
  }

  private func index(of range: PhysicalRange) -> Int? {
    runs.firstIndex { $0.range.contains(range) }
  }

  package func contains(_ range: PhysicalRange) -> Bool { imageContains(range) }

  package func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let index = index(of: range) else { return try imageBytes(range)?.withRawSpan(body) }
    let offset = Int(range.start.rawValue - runs[index].range.start.rawValue)
    return try runs[index].bytes.withRawSpan { (bytes) throws(Failure) in
      try body(bytes.extracting(offset..<offset + Int(range.byteCount)))
    }
  }

  package func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    for run in runs {
      guard let last = run.range.last, last >= address else { continue }
      let start = max(address, run.range.start)
      return PhysicalRange(start: start, byteCount: last.rawValue - start.rawValue + 1)
    }
    return nil
  }

  package var byteCount: UInt64 { runs.reduce(0) { $0 + $1.range.byteCount } }

  /// Inverts bit `bit` of the byte at `address`.
  package func flip(bit: Int, at address: PhysicalAddress) {
    let byte = PhysicalRange(start: address, byteCount: 1)
    guard let index = index(of: byte) else { return }
    runs[index].bytes[Int(address.rawValue - runs[index].range.start.rawValue)] ^= 1 << bit
  }

  /// Stores a 64-bit word, little-endian as every image is.
  package func store(_ word: UInt64, at address: PhysicalAddress) {
    guard let index = index(of: PhysicalRange(start: address, byteCount: 8)) else { return }
    let offset = Int(address.rawValue - runs[index].range.start.rawValue)
    for byte in 0..<8 {
      runs[index].bytes[offset + byte] = UInt8(truncatingIfNeeded: word >> (8 * byte))
    }
  }

  /// The 64-bit word at `address`; nil if none exists.
  package func word(at address: PhysicalAddress) -> UInt64? {
    withBytes(in: PhysicalRange(start: address, byteCount: 8)) { $0.word(atByte: 0) } ?? nil
  }
}
