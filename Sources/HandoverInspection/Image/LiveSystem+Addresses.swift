import DeviceTreeBlob
import Handover
import MemoryAccess
import MemoryImages
import Platform
import PreservedPages
import SystemPackage

extension LiveSystem {
  var systemPageByteCount: Int { Int(sysconf(CInt(_SC_PAGESIZE))) }

  /// The most pages of memory that are looked at as root device trees.
  private static var largestSearch: Int { 1 << 20 }
  /// The most entries of the boot loader's list that are looked at.
  private static var largestSetupDataCount: Int { 64 }

  /// Where the incoming root device tree is, as the boot loader's data (x86) or the machine's device
  /// tree says: `FormatScratch.md`.
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

  /// The handover that this kernel got, at `address` if that is known; nil once it is used up.
  func incomingSource(
    _ bytes: [UInt8], at address: PhysicalAddress?, in memory: LiveMemory
  ) -> HandoverSurvey.Source? {
    let isThere = address.map { memory.holds(bytes, at: $0) } ?? false
    let source: HandoverSurvey.Source = isThere ? .memory(address ?? .zero) : .bytes(bytes)
    guard let geometry = pageSize else { return source }
    return HandoverSurvey(source, in: memory, geometry: geometry).errorCount == 0 ? source : nil
  }

  /// The handover that this kernel prepares, of which debugfs shows `bytes`, perhaps only the first.
  func outgoingSource(_ bytes: [UInt8], in memory: LiveMemory) -> HandoverSurvey.Source {
    guard let geometry = pageSize else { return .bytes(bytes) }
    return .deviceTree(bytes, in: memory, geometry: geometry)
  }

  /// Whether the kernel prepares a handover without showing its root device tree, as Linux 7.3 does
  /// once it came up by one itself. Kernels of kho-v1 have `finalize`, and prepare nothing before that.
  func preparesUnseen(_ folder: FilePath) -> Bool {
    let out = folder.appending("out")
    let has = { (name: String) in SystemCalls.exists(out.appending(name)) }
    return has("scratch_phys") && !has("finalize")
  }

  /// The root device trees in memory that are themselves preserved, by their own entries.
  ///
  /// So neither a memory file nor a copy in the page cache is taken for one, nor one that was replaced.
  func searchedRoots(
    in memory: LiveMemory, _ progress: HandoverImage.SearchProgress
  ) -> [PhysicalAddress] {
    var places: [PhysicalAddress] = []
    memory.forEachPage(
      beginningWith: DeviceTreeHeader.magic, progress: { progress($0, memory.byteCount) },
      { if places.count < Self.largestSearch { places.append($0) } })
    guard let geometry = pageSize else { return [] }
    return HandoverScanner(memory, at: places).addresses.filter { address in
      HandoverSurvey(.memory(address), in: memory, geometry: geometry).containsItself
    }
  }

  private func small(_ path: FilePath) -> [UInt8]? {
    (try? SmallFile.read(path, atMost: 4096)) ?? nil
  }
}
