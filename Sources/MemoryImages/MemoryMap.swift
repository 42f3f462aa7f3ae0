public import MemoryAccess

/// What memory an image describes: runs of addresses, sorted, with a gap between any two (but in all
/// 2^64 bytes, which are two runs).
public struct MemoryMap: Hashable, Sendable {
  /// The runs.
  public private(set) var ranges: [PhysicalRange] = []

  /// The most runs of a map that is made of an image.
  public static var limit: Int { 1 << 20 }

  /// No memory.
  public init() {}

  /// The memory of `ranges`, in any order, overlapping or not.
  ///
  /// - Complexity: O(*n* log *n*) for *n* ranges.
  public init(_ ranges: some Sequence<PhysicalRange>) {
    for range in ranges.sorted(by: { $0.start < $1.start }) { append(range) }
  }

  /// Adds `range`, which starts no earlier than any before.
  ///
  /// - Complexity: O(1).
  public mutating func append(_ range: PhysicalRange) {
    guard let last = range.last else { return }
    guard let previous = ranges.last, let previousLast = previous.last,
      previousLast.rawValue == .max || range.start.rawValue <= previousLast.rawValue &+ 1
    else {
      ranges.append(range)
      return
    }
    guard last > previousLast else { return }
    if previous.start == .zero, last.rawValue == .max {
      // No range is 2^64 bytes long: the end stays a run of its own.
      let start = previousLast.advanced(byBytes: 1)
      ranges.append(
        PhysicalRange(start: start, byteCount: last.rawValue &- start.rawValue &+ 1))
    } else {
      ranges[ranges.count &- 1] = PhysicalRange(
        start: previous.start, byteCount: last.rawValue &- previous.start.rawValue &+ 1)
    }
  }

  /// The memory that both maps hold.
  ///
  /// - Complexity: O(runs).
  public func intersection(_ other: MemoryMap) -> MemoryMap {
    var shared = MemoryMap()
    var own = ranges[...]
    var others = other.ranges[...]
    while let first = own.first, let second = others.first, let end = first.last,
      let otherEnd = second.last
    {
      if let both = first.intersection(second) { shared.append(both) }
      if end <= otherEnd { own.removeFirst() } else { others.removeFirst() }
    }
    return shared
  }

  /// The number of bytes; of all 2^64, one less.
  public var byteCount: UInt64 {
    ranges.reduce(0) { sum, range in
      let (next, overflow) = sum.addingReportingOverflow(range.byteCount)
      return overflow ? .max : next
    }
  }
}

extension MemoryImage {
  /// The memory that exists, stored here or not; nil when it is in more than ``MemoryMap/limit`` runs.
  ///
  /// - Complexity: O(segments), or O(bytes of the bitmaps) of a compressed dump.
  public var existingMemory: MemoryMap? {
    switch self {
    case .raw(let image): image.memory.existing
    case .elf(let image): image.memory.existing
    case .lime(let image): image.memory.existing
    case .avml(let image): MemoryMap(image.ranges)
    case .live(let memory): MemoryMap(memory.segments.lazy.map(\.range))
    case .kdump(let image):
      image.map(of: image.existing).flatMap { existing in
        image.map(of: image.stored).map { MemoryMap(existing.ranges + $0.ranges) }
      }
    }
  }

  /// The memory whose bytes can be read, holes of a sparse file included; nil when it is in more than
  /// ``MemoryMap/limit`` runs.
  ///
  /// - Complexity: as ``existingMemory``.
  public var readableMemory: MemoryMap? {
    switch self {
    case .raw(let image): image.memory.stored
    case .elf(let image): image.memory.stored
    case .lime(let image): image.memory.stored
    case .avml(let image): MemoryMap(image.storedRanges)
    case .live(let memory): MemoryMap(memory.segments.lazy.compactMap(\.storedRange))
    case .kdump(let image): image.map(of: image.stored)
    }
  }
}

extension FileSegments {
  fileprivate var existing: MemoryMap { MemoryMap(segments.lazy.map(\.range)) }
  fileprivate var stored: MemoryMap { MemoryMap(segments.lazy.compactMap(\.storedRange)) }
}

extension KdumpImage {
  /// The pages whose bits are set.
  fileprivate func map(of bitmap: PageBitmap) -> MemoryMap? {
    var map = MemoryMap()
    var next: PhysicalAddress? = .zero
    while let from = next, let range = run(of: bitmap, atOrAfter: from, byteCount: .max) {
      map.append(range)
      guard map.ranges.count <= MemoryMap.limit else { return nil }
      next = range.last.flatMap { $0.rawValue == .max ? nil : $0.advanced(byBytes: 1) }
    }
    return map
  }
}
