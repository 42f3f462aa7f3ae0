import DeviceTreeBlob
public import MemoryAccess

// The record of the kernel's self-test: a successor with CONFIG_TEST_KEXEC_HANDOVER restores the
// folios, sums them, and prints whether the sum is right.

/// The sum over the contents of folios, as the kernel's self-test forms it.
///
/// On x86-64 it is the sum of all 64-bit words modulo 2^32 − 1; on arm64 the sum of each folio is
/// folded to 16 bits, and those are added. 0 stands only for folios of zeros. Both agree modulo 65535.
///
/// Source: `abi.md` section 9, kho_test; the sums that Linux 7.3 prints.
public struct KHOTestChecksum: Hashable, Sendable {
  /// The machine whose way of adding is used.
  public enum Machine: Hashable, Sendable {
    case x86_64
    case arm64
  }

  private let machine: Machine
  private var sum: UInt64 = 0

  /// The sum over no folios.
  public init(for machine: Machine) { self.machine = machine }

  /// Adds a folio.
  ///
  /// - Precondition: its length is a multiple of 8.
  /// - Complexity: O(bytes).
  public mutating func add(_ folio: RawSpan) {
    precondition(folio.byteCount & 7 == 0, "a folio of whole words")
    var own: UInt64 = 0
    for offset in stride(from: 0, to: folio.byteCount, by: 8) {
      let (total, overflow) = own.addingReportingOverflow(folio.word(atByte: offset) ?? 0)
      // 2^64 is 1 modulo 2^32 - 1.
      own = total &+ (overflow ? 1 : 0)
    }
    switch machine {
    case .x86_64: sum = Self.folded(Self.folded(sum) &+ Self.folded(own))
    case .arm64: sum = Self.folded(sum &+ Self.folded16(own))
    }
  }

  /// The sum so far.
  public var value: UInt32 { UInt32(truncatingIfNeeded: sum) }

  /// The same modulo 2^32 − 1, in 32 bits; 0 only of 0.
  private static func folded(_ value: UInt64) -> UInt64 {
    let once = (value & 0xffff_ffff) &+ value &>> 32
    return (once & 0xffff_ffff) &+ once &>> 32
  }

  private static func folded16(_ value: UInt64) -> UInt64 {
    var value = folded(value)
    while value &>> 16 != 0 { value = (value & 0xffff) &+ value &>> 16 }
    return value
  }
}

extension OutgoingHandover where Anchor: ~Copyable {
  /// Adds the subtree of the kernel's self-test, with `folios`, which are preserved already.
  ///
  /// - Throws: as ``allocatePreservedArea(holding:from:)`` and
  ///   ``createSubtree(named:byteCount:from:_:)``. The list stays preserved where the latter fails.
  /// - Complexity: O(folios + device tree).
  public mutating func addKHOTest<Frames: BlockSource & ~Copyable>(
    _ folios: [PhysicalBlock], checksum: UInt32, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    let area = try allocatePreservedArea(
      holding: folios.map { $0.address.rawValue | UInt64($0.order.rawValue) }, from: &frames)
    var descriptor = [UInt8](repeating: 0, count: VmallocArea.byteCount)
    do {
      var span = descriptor.mutableSpan
      // SAFETY: bytes, of which each is a value.
      var bytes = unsafe span.mutableBytes
      area.write(to: &bytes)
    }
    let byteCount: Int
    do throws(DeviceTreeWriterError) {
      byteCount = try DeviceTreeWriter.exactByteCount { (writer) throws(DeviceTreeWriterError) in
        try writer.writeTest(folios.count, descriptor, checksum)
      }
    } catch {
      throw .deviceTreeUnwritable(error)
    }
    try createSubtree(
      named: KHOTestRecord.subtreeName, byteCount: UInt64(byteCount), from: &frames
    ) { bytes in
      do throws(DeviceTreeWriterError) {
        _ = try DeviceTreeWriter.write(into: &bytes) { (writer) throws(DeviceTreeWriterError) in
          try writer.writeTest(folios.count, descriptor, checksum)
        }
      } catch {
        preconditionFailure("a device tree that was measured cannot be written")
      }
    }
  }
}

extension DeviceTreeWriter {
  @_lifetime(self: copy self)
  fileprivate mutating func writeTest(
    _ folioCount: Int, _ area: [UInt8], _ checksum: UInt32
  ) throws(DeviceTreeWriterError) {
    try property("compatible", string: "kho-test-v1")
    try property("magic", nativeUInt32: KHOTestRecord.magic)
    try beginNode("data")
    try property("nr_folios", nativeUInt32: UInt32(truncatingIfNeeded: folioCount))
    // SAFETY: bytes, of which each is a value.
    try unsafe property("folios_info", bytes: area.span.bytes)
    try property("csum", nativeUInt32: checksum)
    try endNode()
  }
}
