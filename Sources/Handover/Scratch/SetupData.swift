public import MemoryAccess

/// What a boot loader gives an x86-64 kernel, in its list of setup data, to find a handover.
///
/// ```
/// byte 0 next (u64)   8 type 10 (u32)   12 length 32 (u32)
///     16 root device tree   24 its size   32 scratch areas   40 their size
/// ```
///
/// Source: `abi.md` section 6; Linux, arch/x86/include/uapi/asm/setup_data.h.
public struct SetupData: Hashable, Sendable {
  /// The length of an entry in bytes.
  public static var byteCount: Int { 48 }
  /// SETUP_KEXEC_KHO.
  public static var type: UInt32 { 10 }

  /// Where in an entry the root device tree's address is stored, in bytes.
  public static var deviceTreeOffset: UInt64 { 16 }

  /// The bytes of the root device tree. Linux maps that many to read it.
  public let deviceTree: PhysicalRange
  /// The bytes of the array of scratch areas.
  public let scratchAreas: PhysicalRange

  /// The entry of a handover.
  public init(deviceTree: PhysicalRange, scratchAreas: PhysicalRange) {
    self.deviceTree = deviceTree
    self.scratchAreas = scratchAreas
  }

  /// Reads the entry at `address`.
  ///
  /// - Throws: ``RecordError/formatUnknown(_:)`` of an entry of another type;
  ///   ``RecordError/rangeImpossible(start:byteCount:)``; ``RecordError/unreadable(_:)``.
  public init(
    at address: PhysicalAddress, in memory: some PhysicalMemory
  ) throws(RecordError) {
    self = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      (bytes) throws(RecordError) in
      let type = bytes.halfWord(atByte: 8) ?? 0
      guard type == Self.type else { throw .formatUnknown("setup data of type \(type)") }
      func range(atByte offset: Int) throws(RecordError) -> PhysicalRange {
        let start = PhysicalAddress(bytes.word(atByte: offset) ?? 0)
        let byteCount = bytes.word(atByte: offset &+ 8) ?? 0
        guard let range = PhysicalRange(checkedStart: start, byteCount: byteCount) else {
          throw .rangeImpossible(start: start, byteCount: byteCount)
        }
        return range
      }
      return SetupData(
        deviceTree: try range(atByte: 16), scratchAreas: try range(atByte: 32))
    }
  }

  /// Writes the entry, the last of its list.
  ///
  /// - Precondition: `address` is a multiple of 8, and 48 bytes exist there.
  public func write(at address: PhysicalAddress, in memory: some WritablePhysicalMemory) {
    memory.withWords(at: address, count: Self.byteCount / 8) { words in
      words.publish(0, at: 0)
      words.publish(UInt64(Self.type) | 32 &<< 32, at: 1)
      words.publish(deviceTree.start.rawValue, at: 2)
      words.publish(deviceTree.byteCount, at: 3)
      words.publish(scratchAreas.start.rawValue, at: 4)
      words.publish(scratchAreas.byteCount, at: 5)
    }
  }
}
