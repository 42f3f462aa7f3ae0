internal import KexecHandover

/// An image that notes which of its pages are read.
final class TracingMemory: PhysicalMemory {
  private let image: MemoryImage
  private let geometry: PageGeometry
  private(set) var pages: Set<PhysicalAddress> = []

  init(_ image: MemoryImage, geometry: PageGeometry) {
    self.image = image
    self.geometry = geometry
  }

  var byteCount: UInt64 { image.byteCount }

  func contains(_ range: PhysicalRange) -> Bool { image.contains(range) }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    image.storedRange(atOrAfter: address)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    if let last = range.last {
      let mask = UInt64(geometry.pageByteCount) - 1
      let first = range.start.rawValue & ~mask
      for page in stride(from: first, through: last.rawValue, by: geometry.pageByteCount) {
        pages.insert(PhysicalAddress(page))
      }
    }
    return try image.withBytes(in: range, body)
  }
}
