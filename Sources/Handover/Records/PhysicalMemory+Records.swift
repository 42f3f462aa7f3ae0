import DeviceTreeBlob
import MemoryModel

extension PhysicalMemory {
  /// Calls `body` with the `byteCount` bytes of a record at `address`.
  ///
  /// - Throws: ``RecordError/unreadable(_:)`` and ``RecordError/rangeImpossible(start:byteCount:)``,
  ///   and the error of `body`.
  func withRecord<Result>(
    at address: PhysicalAddress, byteCount: Int,
    _ body: (RawSpan) throws(RecordError) -> Result
  ) throws(RecordError) -> Result {
    guard let range = PhysicalRange(checkedStart: address, byteCount: UInt64(byteCount)) else {
      throw .rangeImpossible(start: address, byteCount: UInt64(byteCount))
    }
    guard let result = try withBytes(in: range, body) else { throw .unreadable(range) }
    return result
  }

  /// The bytes of the device tree of a record at `address`, as many as its header says.
  ///
  /// - Parameter limit: the size of the blob, where something tells it.
  func recordTreeBytes(
    at address: PhysicalAddress, limit: UInt64?
  ) throws(RecordError) -> [UInt8] {
    let headerByteCount = DeviceTreeHeader.byteCount
    if let limit, limit < UInt64(headerByteCount) {
      throw .blobTooShort(byteCount: limit, needed: UInt64(headerByteCount))
    }
    let total = try withRecord(at: address, byteCount: headerByteCount) {
      (bytes) throws(RecordError) in
      do throws(DeviceTreeError) {
        return UInt64(try DeviceTreeHeader(parsing: bytes).totalByteCount)
      } catch {
        throw .deviceTreeMalformed(error)
      }
    }
    guard total <= RootDeviceTree.largestByteCount else {
      throw .blobTooLarge(byteCount: total, limit: RootDeviceTree.largestByteCount)
    }
    if let limit, limit < total { throw .blobTooShort(byteCount: limit, needed: total) }
    return try withRecord(at: address, byteCount: Int(total)) { $0.copiedBytes() }
  }
}
