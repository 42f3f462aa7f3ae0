import MemoryAccess

/// The same memory as an image's, answered the slow and obvious way.
struct ELFModel {
  let segments: [ELFBuilder.Segment]

  init(_ segments: [ELFBuilder.Segment]) {
    self.segments = segments.sorted { $0.address < $1.address }
  }

  func memoryByteCount(_ segment: ELFBuilder.Segment) -> UInt64 {
    segment.memoryByteCount ?? UInt64(segment.bytes.count)
  }

  func contains(_ address: UInt64) -> Bool {
    segments.contains { address >= $0.address && address - $0.address < memoryByteCount($0) }
  }

  func byte(_ address: UInt64) -> UInt8? {
    for segment in segments
    where address >= segment.address && address - segment.address < UInt64(segment.bytes.count) {
      return segment.bytes[Int(address - segment.address)]
    }
    return nil
  }

  func bytes(_ range: PhysicalRange) -> [UInt8]? {
    var bytes: [UInt8] = []
    for offset in 0..<range.byteCount {
      guard let byte = byte(range.start.rawValue + offset) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  var storedRanges: [PhysicalRange] {
    segments.filter { !$0.bytes.isEmpty }.map { range($0.address, UInt64($0.bytes.count)) }
  }

  /// Segments with and without gaps, tails and bytes, in a random order in table and file.
  static func random(_ random: inout SeededGenerator) -> (ELFModel, ELFBuilder) {
    var builder = ELFBuilder()
    var next = UInt64.random(in: 0...10_000, using: &random)
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      if Bool.random(using: &random) { next += UInt64.random(in: 1...3000, using: &random) }
      var segment = ELFBuilder.Segment(address: next)
      segment.bytes = random.bytes(Int.random(in: 1...1500, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0:
        segment.memoryByteCount =
          UInt64(segment.bytes.count) + UInt64.random(in: 1...500, using: &random)
      case 1:
        segment.memoryByteCount = UInt64(segment.bytes.count)
        segment.bytes = []
      default: break
      }
      next += segment.memoryByteCount ?? UInt64(segment.bytes.count)
      builder.segments.append(segment)
    }
    let model = ELFModel(builder.segments)
    builder.segments.shuffle(using: &random)
    builder.fileOrder = builder.segments.indices.shuffled(using: &random)
    return (model, builder)
  }
}
