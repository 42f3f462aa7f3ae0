public import MemoryAccess

/// How a handover reaches a kernel on x86-64: an entry of the list of setup data that the boot
/// parameters point to.
///
/// ```
/// byte 0 next entry   8 type (u32)   12 length of what follows (u32)
///     16 root device tree   24 its size   32 scratch areas   40 their size in bytes
/// ```
///
/// Source: the boot protocol of Linux for x86 (`setup_data`, type 10), and `FormatScratch.md`.
public struct SetupDataRecord: Hashable, Sendable {
  /// The type of the entry: SETUP_KEXEC_KHO.
  public static var type: UInt32 { 10 }
  /// The length of the entry in bytes, with its header.
  public static var byteCount: Int { 48 }
  /// The most entries of a list that are read.
  public static var limit: Int { 1024 }
  private static var headerByteCount: Int { 16 }

  /// The second word of an entry, as the machine stores it: type and length.
  package static var typeAndLengthWord: UInt64 {
    (UInt64(byteCount &- headerByteCount) &<< 32 | UInt64(type)).littleEndian
  }

  /// Where the root device tree is.
  public let deviceTree: PhysicalAddress
  /// The size in bytes that is said of the root device tree.
  ///
  /// Linux maps as many bytes before it reads any, and passes 4096 on from kexec to kexec.
  public let deviceTreeByteCount: UInt64
  /// The bytes of the array of scratch areas, which ``ScratchArea/readArray(in:of:)`` reads.
  public let scratchAreas: PhysicalRange

  /// The entry of a handover.
  public init(
    deviceTree: PhysicalAddress, deviceTreeByteCount: UInt64 = 4096, scratchAreas: PhysicalRange
  ) {
    self.deviceTree = deviceTree
    self.deviceTreeByteCount = deviceTreeByteCount
    self.scratchAreas = scratchAreas
  }

  /// Where the address of the root device tree is in an entry at `address`: the word that a
  /// ``WordAnchor`` switches.
  public static func deviceTreeWord(ofEntryAt address: PhysicalAddress) -> PhysicalAddress {
    PhysicalAddress(address.rawValue &+ UInt64(headerByteCount))
  }

  /// Finds the first entry of this type in the list that begins at `first`; nil if none exists.
  ///
  /// - Parameter memory: the memory.
  /// - Parameter first: the first entry; 0 of an empty list.
  /// - Returns: where the entry is.
  /// - Throws: ``RecordError/unreadable(_:)`` and ``RecordError/rangeImpossible(start:byteCount:)`` of an
  ///   entry outside memory, ``RecordError/chainTooLong(limit:)`` of a list without an end.
  /// - Complexity: O(entries).
  public static func find(
    inListAt first: PhysicalAddress, of memory: some PhysicalMemory
  ) throws(RecordError) -> PhysicalAddress? {
    var next = first
    for _ in 0..<limit {
      if next == .zero { return nil }
      let (following, found) = try memory.withRecord(at: next, byteCount: headerByteCount) {
        ($0.word(atByte: 0) ?? 0, $0.uint32(atByte: 8) ?? 0)
      }
      if found == type { return next }
      next = PhysicalAddress(following)
    }
    if next == .zero { return nil }
    throw .chainTooLong(limit: limit)
  }

  /// Reads the entry at `address`.
  ///
  /// - Throws: ``RecordError/unreadable(_:)``, ``RecordError/rangeImpossible(start:byteCount:)``;
  ///   ``RecordError/magicWrong(_:)`` of an entry of another type;
  ///   ``RecordError/blobTooShort(byteCount:needed:)`` of one that is too short.
  public init(
    at address: PhysicalAddress, in memory: some PhysicalMemory
  ) throws(RecordError) {
    self = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      (bytes) throws(RecordError) in
      let type = bytes.uint32(atByte: 8) ?? 0
      guard type == Self.type else { throw .magicWrong(type) }
      let needed = UInt64(Self.byteCount &- Self.headerByteCount)
      let length = UInt64(bytes.uint32(atByte: 12) ?? 0)
      guard length >= needed else { throw .blobTooShort(byteCount: length, needed: needed) }
      let start = PhysicalAddress(bytes.word(atByte: 32) ?? 0)
      let byteCount = bytes.word(atByte: 40) ?? 0
      guard let areas = PhysicalRange(checkedStart: start, byteCount: byteCount) else {
        throw .rangeImpossible(start: start, byteCount: byteCount)
      }
      return SetupDataRecord(
        deviceTree: PhysicalAddress(bytes.word(atByte: 16) ?? 0),
        deviceTreeByteCount: bytes.word(atByte: 24) ?? 0, scratchAreas: areas)
    }
  }

  /// Writes the entry at `address`; the word of the device tree last.
  ///
  /// - Parameter address: the address.
  /// - Parameter memory: the memory.
  /// - Parameter next: the entry that follows it in the list; 0 for none.
  /// - Precondition: `address` is a multiple of 8, and 48 bytes exist there.
  public func write(
    at address: PhysicalAddress, next: PhysicalAddress = .zero,
    in memory: some WritablePhysicalMemory
  ) {
    memory.withWords(at: address, count: Self.byteCount / 8) { words in
      words.store(next.rawValue, at: 0)
      words.store(Self.typeAndLengthWord, at: 1)
      words.store(deviceTreeByteCount, at: 3)
      words.store(scratchAreas.start.rawValue, at: 4)
      words.store(scratchAreas.byteCount, at: 5)
      words.publish(deviceTree.rawValue, at: 2)
    }
  }
}
