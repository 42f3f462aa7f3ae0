public import MemoryAccess

/// What the superblock of a memory file says, read from untrusted memory.
public struct SuperblockContents: Sendable {
  /// The page size.
  public let geometry: PageGeometry
  /// A number that identifies a memory file.
  public let identity: MemoryFileIdentity
  /// The layout of the file: 1, or 2 of a file with ``features``.
  public let layoutVersion: UInt64
  /// What a program must know to use the file, a bit each: bit 0 for a ledger of collections.
  public let features: UInt64
  /// The state that is valid.
  public let state: SuperblockState
  let slot: Int

  /// Whether `memory` begins like a memory file, sound or not.
  public static func isMemoryFile(_ memory: some PhysicalMemory) -> Bool {
    let first = PhysicalRange(start: .zero, byteCount: 8)
    return memory.withBytes(in: first) { $0.word(atByte: 0) } == SuperblockLayout.magic
  }

  /// Reads the superblock at the start of `memory`.
  ///
  /// - Throws: ``SuperblockError``.
  public init(reading memory: some PhysicalMemory) throws(SuperblockError) {
    typealias Layout = SuperblockLayout
    let range = PhysicalRange(start: .zero, byteCount: Layout.byteCount)
    let found = memory.withBytes(in: range) { bytes in
      (0..<Layout.wordCount).map { bytes.word(atByte: $0 * 8) ?? 0 }
    }
    guard var words = found else { throw .tooShort(byteCount: memory.byteCount) }
    guard words[Layout.magicWord] == Layout.magic else {
      throw .notMemoryFile(magic: words[Layout.magicWord])
    }
    if Self.headerCheck(words) != words[Layout.headerCheckWord] {
      // A process may have been killed while it gave the file its first feature, which it did not use yet.
      guard
        (Layout.versionWithoutFeatures...Layout.version).contains(words[Layout.versionWord]),
        [0, Layout.ledgerFeature].contains(words[Layout.featuresWord])
      else { throw .headerDamaged }
      words[Layout.versionWord] = Layout.versionWithoutFeatures
      words[Layout.featuresWord] = 0
      guard Self.headerCheck(words) == words[Layout.headerCheckWord] else { throw .headerDamaged }
    }
    layoutVersion = words[Layout.versionWord]
    features = words[Layout.featuresWord]
    // A header that is whole and of another version: what follows may be anything.
    guard (Layout.versionWithoutFeatures...Layout.version).contains(layoutVersion) else {
      throw .versionUnknown(layoutVersion)
    }
    guard layoutVersion == Layout.version || features == 0 else { throw .headerDamaged }
    guard features & ~Layout.knownFeatures == 0 else {
      throw .featuresUnknown(features & ~Layout.knownFeatures)
    }
    guard let shift = Int(exactly: words[Layout.pageShiftWord]), Layout.pageShifts.contains(shift)
    else { throw .pageShiftUnknown(words[Layout.pageShiftWord]) }
    geometry = PageGeometry(shift: shift)
    identity = MemoryFileIdentity(
      high: words[Layout.identityWords.lowerBound],
      low: words[Layout.identityWords.lowerBound + 1])
    guard let slot = Layout.selectors.firstIndex(of: words[Layout.selectorWord]) else {
      throw .selectorDamaged(words[Layout.selectorWord])
    }
    self.slot = slot
    let start = Layout.slotStart(slot)
    state = try SuperblockState(Array(words[start..<start + Layout.slotWordCount]), geometry)
    guard memory.byteCount >= state.byteCount else {
      throw .truncated(byteCount: memory.byteCount, wanted: state.byteCount)
    }
  }

  /// The check value of the words of a header.
  static func headerCheck(_ words: [UInt64]) -> UInt64 {
    CheckValue(of: words[..<SuperblockLayout.headerCheckWord]).value
  }
}

extension SuperblockContents {
  /// The check values of the root device trees that a superblock in the page at `address` names, in its
  /// present state and in the one before: for memory files whose pages are anywhere in a machine's memory.
  ///
  /// - Returns: an empty array if the page is not the first of a memory file.
  package static func deviceTreeChecks(
    inPageAt address: PhysicalAddress, of memory: some PhysicalMemory
  ) -> [UInt64] {
    typealias Layout = SuperblockLayout
    guard let page = PhysicalRange(checkedStart: address, byteCount: Layout.byteCount) else {
      return []
    }
    let checks = memory.withBytes(in: page) { bytes -> [UInt64] in
      guard bytes.word(atByte: 8 * Layout.magicWord) == Layout.magic else { return [] }
      return (0..<2).flatMap { slot in
        Layout.deviceTreeCheckWords.map { word in
          bytes.word(atByte: 8 * (Layout.slotStart(slot) + word)) ?? 0
        }
      }
    }
    return (checks ?? []).filter { $0 != 0 }
  }

  /// Whether a page that starts with `bytes` starts like the first page of a memory file.
  package static func isFirstPage(_ bytes: RawSpan) -> Bool {
    bytes.word(atByte: 0) == SuperblockLayout.magic
  }
}
