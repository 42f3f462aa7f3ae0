import DeviceTreeBlob
public import MemoryAccess
import PreservedPages

extension OutgoingHandover where Anchor: ~Copyable {
  /// Adds the record with which the self-test of a successor's kernel finds and checks `folios`.
  ///
  /// - Parameters:
  ///   - frames: where frames come from.
  ///   - folios: the blocks, each an entry already, whose contents do not change any more.
  ///   - checksum: of their contents; see ``KHOTestChecksum``.
  /// - Returns: the area that lists the folios. It is the record's, and the caller's to free.
  /// - Throws: ``OutgoingHandoverError/notPreserved(_:)`` of a block that is not an entry, and as
  ///   ``allocatePreservedArea(blockCount:order:from:)`` and ``createSubtree(named:byteCount:from:_:)``.
  ///   Nothing has changed then.
  /// - Complexity: O(folios · levels + device tree).
  @discardableResult
  public mutating func addTestRecord<Frames: BlockSource & ~Copyable>(
    of folios: [PhysicalBlock], checksum: KHOTestChecksum, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> VmallocArea {
    for folio in folios { try requireEntry(folio) }
    let wordsPerPage = UInt64(geometry.pageWordCount)
    let blockCount = (UInt64(folios.count) &+ wordsPerPage &- 1) / wordsPerPage
    let area = try allocatePreservedArea(blockCount: blockCount, from: &frames)
    do throws(OutgoingHandoverError) {
      try write(folios, to: area)
      let count = UInt32(truncatingIfNeeded: folios.count)
      let byteCount: Int
      do throws(DeviceTreeWriterError) {
        byteCount = try DeviceTreeWriter.exactByteCount {
          (writer) throws(DeviceTreeWriterError) in
          try writer.writeTestRecord(count, area, checksum.value)
        }
      } catch {
        throw .deviceTreeUnwritable(error)
      }
      try createSubtree(
        named: KHOTestRecord.subtreeName, byteCount: UInt64(byteCount), from: &frames
      ) { bytes in
        do throws(DeviceTreeWriterError) {
          _ = try DeviceTreeWriter.write(into: &bytes) { (writer) throws(DeviceTreeWriterError) in
            try writer.writeTestRecord(count, area, checksum.value)
          }
        } catch {
          Panic.end("a device tree that was measured cannot be written")
        }
      }
    } catch {
      try? unpreserveAndFree(area, into: &frames)
      throw error
    }
    return area
  }

  /// Writes a word for each folio: its address, and its order in the low bits.
  ///
  /// Not inlined: the page that it reads would stay on the stack.
  @inline(never)
  private func write(_ folios: [PhysicalBlock], to area: VmallocArea) throws(OutgoingHandoverError)
  {
    var steps = VmallocBlocks(area, in: memory, geometry: geometry)
    var index = 0
    while index < folios.count {
      let step: VmallocBlocks<Memory>.Step?
      do throws(RecordError) { step = try steps.next() } catch { throw .areaDamaged(error) }
      guard let step else { return }
      guard case .block(let block) = step else { continue }
      memory.withWords(at: block.address, count: geometry.pageWordCount) { words in
        var word = 0
        while word < words.count, index < folios.count {
          words.store(
            folios[index].address.rawValue | UInt64(folios[index].order.rawValue), at: word)
          word &+= 1
          index &+= 1
        }
      }
    }
  }
}

extension DeviceTreeWriter {
  @_lifetime(self: copy self)
  fileprivate mutating func writeTestRecord(
    _ folioCount: UInt32, _ area: VmallocArea, _ checksum: UInt32
  ) throws(DeviceTreeWriterError) {
    try property("compatible", string: "kho-test-v1")
    try property("magic", nativeUInt32: KHOTestRecord.magic)
    try beginNode("data")
    try property("nr_folios", nativeUInt32: folioCount)
    var descriptor = InlineArray<16, UInt8>(repeating: 0)
    var span = descriptor.mutableSpan
    var bytes = span.rawBytes
    area.write(to: &bytes)
    // SAFETY: a byte has no padding that could be read.
    try unsafe property("folios_info", bytes: descriptor.span.bytes)
    try property("csum", nativeUInt32: checksum)
    try endNode()
  }
}
