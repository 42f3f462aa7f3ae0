public import MemoryAccess

/// Memory that never contains anything preserved: the successor is loaded there, and allocates only
/// there until it has walked the tree.
///
/// ```
/// byte 0 address (u64)   8 size (u64)
/// ```
///
/// Source: `FormatScratch.md`.
public struct ScratchArea: Hashable, Sendable {
  /// The bytes of the area.
  public let range: PhysicalRange

  /// The length of an area in the array that crosses the kexec, in bytes.
  public static var byteCount: Int { 16 }
  /// The most areas that are read of an array; a machine has one a NUMA node, and two.
  public static var limit: Int { 4096 }

  /// The area of the bytes of `range`.
  public init(_ range: PhysicalRange) {
    self.range = range
  }
}

extension ScratchArea {
  /// Reads the array of areas in the bytes of `range`.
  ///
  /// If Linux needs no area for some kind of memory, its array has an entry of 0 bytes for it. Such entries
  /// are left out.
  ///
  /// - Throws: ``RecordError/unreadable(_:)``; ``RecordError/rangeImpossible(start:byteCount:)`` of an
  ///   area past 2^64, or of an array whose length is not a multiple of an area's;
  ///   ``RecordError/blobTooLarge(byteCount:limit:)``.
  /// - Complexity: O(areas).
  public static func readArray(
    in range: PhysicalRange, of memory: some PhysicalMemory
  ) throws(RecordError) -> [ScratchArea] {
    let limit = UInt64(Self.limit * byteCount)
    guard range.byteCount <= limit else {
      throw .blobTooLarge(byteCount: range.byteCount, limit: limit)
    }
    guard range.byteCount % UInt64(byteCount) == 0 else {
      throw .rangeImpossible(start: range.start, byteCount: range.byteCount)
    }
    return try memory.withRecord(at: range.start, byteCount: Int(range.byteCount)) {
      (bytes) throws(RecordError) in
      var areas: [ScratchArea] = []
      for offset in stride(from: 0, to: bytes.byteCount, by: byteCount) {
        let start = PhysicalAddress(bytes.word(atByte: offset) ?? 0)
        let size = bytes.word(atByte: offset &+ 8) ?? 0
        if size == 0 { continue }
        guard let area = PhysicalRange(checkedStart: start, byteCount: size) else {
          throw .rangeImpossible(start: start, byteCount: size)
        }
        areas.append(ScratchArea(area))
      }
      return areas
    }
  }

  /// Writes `areas` as the array that crosses the kexec.
  ///
  /// - Precondition: `address` is a multiple of 8, and 16 bytes for each area exist there.
  /// - Complexity: O(areas).
  public static func writeArray(
    _ areas: [ScratchArea], at address: PhysicalAddress, in memory: some WritablePhysicalMemory
  ) {
    memory.withWords(at: address, count: areas.count &* 2) { words in
      for (index, area) in areas.enumerated() {
        words.publish(area.range.start.rawValue, at: index &* 2)
        words.publish(area.range.byteCount, at: index &* 2 &+ 1)
      }
    }
  }
}

extension [ScratchArea] {
  /// The first area that shares bytes with `range`; nil if none exists.
  ///
  /// - Complexity: O(areas).
  public func first(overlapping range: PhysicalRange) -> ScratchArea? {
    first { $0.range.overlaps(range) }
  }

  /// Whether `range` reaches into an area, at either edge.
  ///
  /// - Complexity: O(areas).
  public func overlap(_ range: PhysicalRange) -> Bool { first(overlapping: range) != nil }
}
