public import MemoryAccess

/// What the superblock of a memory file says, read from untrusted memory.
public struct SuperblockContents: Sendable {
  /// The page size.
  public let geometry: PageGeometry
  /// A number that tells memory files apart.
  public let identity: MemoryFileIdentity
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
    guard let words = found else { throw .tooShort(byteCount: memory.byteCount) }
    guard words[Layout.magicWord] == Layout.magic else {
      throw .notMemoryFile(magic: words[Layout.magicWord])
    }
    var check = CheckValue()
    for word in words[..<Layout.headerCheckWord] { check.append(word) }
    guard check.value == words[Layout.headerCheckWord] else { throw .headerDamaged }
    // A header that is whole and of another version: what follows may be anything.
    guard words[Layout.versionWord] == Layout.version else {
      throw .versionUnknown(words[Layout.versionWord])
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
}

extension SuperblockContents {
  /// The check values of the root device trees that a superblock in the page at `address` names, in its
  /// present state and in the one before: for memory files whose pages are anywhere in a machine's memory.
  ///
  /// - Returns: nothing where the page is not the first of a memory file.
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

  /// Whether a page of which `bytes` are the first begins like a memory file.
  package static func isFirstPage(_ bytes: RawSpan) -> Bool {
    bytes.word(atByte: 0) == SuperblockLayout.magic
  }
}
