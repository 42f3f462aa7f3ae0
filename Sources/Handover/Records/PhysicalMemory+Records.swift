import DeviceTreeBlob
package import MemoryAccess

extension PhysicalMemory {
  /// Calls `body` with the `byteCount` bytes of a record at `address`.
  ///
  /// - Throws: ``RecordError/unreadable(_:)`` and ``RecordError/rangeImpossible(start:byteCount:)``,
  ///   and the error of `body`.
  package func withRecord<Result>(
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
  /// - Parameter byteCount: the size of the blob, where something shows it.
  func recordTreeBytes(
    at address: PhysicalAddress, byteCount: UInt64?
  ) throws(RecordError) -> [UInt8] {
    let headerByteCount = DeviceTreeHeader.byteCount
    try requireBlob(byteCount, holds: headerByteCount)
    let total = try withRecord(at: address, byteCount: headerByteCount) {
      (bytes) throws(RecordError) in
      do throws(DeviceTreeError) {
        return UInt64(try DeviceTreeHeader(parsing: bytes).totalByteCount)
      } catch {
        throw .deviceTreeMalformed(error)
      }
    }
    let limit = RecordBlob.largestByteCount(ofBlob: byteCount)
    guard total <= limit else { throw .blobTooLarge(byteCount: total, limit: limit) }
    try requireBlob(byteCount, holds: Int(total))
    return try withRecord(at: address, byteCount: Int(total)) { $0.copiedBytes() }
  }

  /// Checks that a blob of `byteCount` bytes, if that is known, holds `needed` bytes.
  func requireBlob(_ byteCount: UInt64?, holds needed: Int) throws(RecordError) {
    if let byteCount, byteCount < UInt64(needed) {
      throw .blobTooShort(byteCount: byteCount, needed: UInt64(needed))
    }
  }
}

/// How much is read of a blob.
package enum RecordBlob {
  /// The most bytes that are read of a blob of `byteCount` bytes; of one of unknown size, little.
  package static func largestByteCount(ofBlob byteCount: UInt64?) -> UInt64 {
    byteCount == nil ? 64 << 10 : RootDeviceTree.largestByteCount
  }
}
