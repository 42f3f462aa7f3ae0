import DeviceTreeBlob
package import MemoryAccess

extension PhysicalMemory {
  /// The bytes of the device tree at `address`, as long as its header says.
  package func deviceTreeBytes(at address: PhysicalAddress) throws(HandoverFinding) -> [UInt8] {
    let headerByteCount = UInt64(DeviceTreeHeader.byteCount)
    let limit = RootDeviceTree.largestByteCount
    guard let header = PhysicalRange(checkedStart: address, byteCount: headerByteCount),
      let parsed = withBytes(in: header, { parse($0) })
    else { throw .deviceTreeUnreadable(address) }
    let byteCount = try parsed.get()
    guard byteCount <= limit else {
      throw .deviceTreeTooLarge(byteCount: byteCount, limit: limit)
    }
    guard let range = PhysicalRange(checkedStart: address, byteCount: byteCount),
      let bytes = withBytes(in: range, { $0.copiedBytes() })
    else { throw .deviceTreeUnreadable(address) }
    return bytes
  }

  private func parse(_ header: RawSpan) -> Result<UInt64, HandoverFinding> {
    do throws(DeviceTreeError) {
      return .success(UInt64(try DeviceTreeHeader(parsing: header).totalByteCount))
    } catch {
      return .failure(.deviceTreeMalformed(error))
    }
  }

  /// The size of a `kho-v1` subtree, which is a device tree whose own header shows it.
  func sizeInOwnHeader(_ subtree: RootDeviceTree.Subtree, _ version: ABIVersion) -> UInt64? {
    guard version == .v1,
      let header = PhysicalRange(
        checkedStart: subtree.address, byteCount: UInt64(DeviceTreeHeader.byteCount)),
      let parsed = withBytes(in: header, { parse($0) })
    else { return nil }
    return try? parsed.get()
  }
}
