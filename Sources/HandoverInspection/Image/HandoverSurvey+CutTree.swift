import Handover
import MemoryAccess
import PreservedPages

extension HandoverSurvey.Source {
  /// The most preserved blocks among which a root device tree is looked for.
  private static var largestSearch: Int { 1 << 20 }

  /// The root device tree that begins with `bytes`, where it is stored: among the entries that it leads
  /// to. Where it is not there, the bytes, or what can be read of them.
  static func deviceTree(
    _ bytes: [UInt8], in memory: some PhysicalMemory, geometry: PageGeometry
  ) -> HandoverSurvey.Source {
    let whole = DeviceTreeHead(cut: bytes)?.deviceTree ?? bytes
    let pages = HandoverSurvey(.bytes(whole), in: memory, geometry: geometry).pages
    var left = largestSearch
    do throws(Found) {
      try pages?.forEachBlock(in: memory) { block throws(Found) in
        guard geometry.blockByteCount(block.order) >= UInt64(bytes.count) else { return }
        if memory.holds(bytes, at: block.address) { throw .at(block.address) }
        left -= 1
        if left == 0 { throw .nothing }
      }
      return .bytes(whole)
    } catch {
      if case .at(let address) = error { return .memory(address) }
      return .bytes(whole)
    }
  }

  /// Ends a walk.
  private enum Found: Error {
    case at(PhysicalAddress)
    case nothing
  }
}

extension PhysicalMemory {
  /// Whether `bytes` are stored at `address`.
  func holds(_ bytes: [UInt8], at address: PhysicalAddress) -> Bool {
    guard
      let range = PhysicalRange(checkedStart: address, byteCount: UInt64(bytes.count))
    else { return false }
    return withBytes(in: range) { $0.copiedBytes() } == bytes
  }
}
