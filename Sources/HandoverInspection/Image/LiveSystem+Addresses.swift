import Handover
import MemoryAccess
import MemoryImages
import Platform
import PreservedPages
import SystemPackage

extension LiveSystem {
  var systemPageByteCount: Int { Int(sysconf(CInt(_SC_PAGESIZE))) }

  /// The most preserved blocks among which the outgoing device tree is looked for.
  private static var largestSearch: Int { 1 << 20 }
  /// The most entries of the boot loader's list that are looked at.
  private static var largestSetupDataCount: Int { 64 }

  /// Where the incoming root device tree lies, as the boot loader's data (x86) or the machine's device
  /// tree says: `abi.md`, section 6.
  func incomingAddress() -> PhysicalAddress? {
    let chosen = root.pushing("sys/firmware/devicetree/base/chosen/linux,kho-fdt")
    if let bytes = small(chosen), bytes.count == 16 {
      return bytes.withRawSpan { $0.word(atByte: 0) }.map { PhysicalAddress(UInt64(bigEndian: $0)) }
    }
    for index in 0..<Self.largestSetupDataCount {
      let folder = root.pushing(FilePath("sys/kernel/boot_params/setup_data/\(index)"))
      guard let type = small(folder.appending("type")) else { return nil }
      // SETUP_KEXEC_KHO is 10; the file holds it as "0xa".
      guard String(decoding: type, as: UTF8.self).hasPrefix("0xa\n"),
        let data = small(folder.appending("data")), data.count >= 32
      else { continue }
      return data.withRawSpan { $0.word(atByte: 0) }.map { PhysicalAddress($0) }
    }
    return nil
  }

  /// Where a device tree lies that is itself preserved, as the outgoing root is.
  func addressAmongPreserved(
    of bytes: [UInt8], in memory: LiveMemory
  ) -> PhysicalAddress? {
    guard let geometry = pageSize else { return nil }
    let pages = HandoverSurvey(.bytes(bytes), in: memory, geometry: geometry).pages
    var left = Self.largestSearch
    do throws(Found) {
      try pages?.forEachBlock(in: memory) { block throws(Found) in
        guard geometry.blockByteCount(block.order) >= UInt64(bytes.count) else { return }
        if memory.holds(bytes, at: block.address) { throw .at(block.address) }
        left -= 1
        if left == 0 { throw .nothing }
      }
      return nil
    } catch {
      if case .at(let address) = error { return address }
      return nil
    }
  }

  private func small(_ path: FilePath) -> [UInt8]? {
    (try? SmallFile.read(path, atMost: 4096)) ?? nil
  }

  /// Ends a walk.
  private enum Found: Error {
    case at(PhysicalAddress)
    case nothing
  }
}
