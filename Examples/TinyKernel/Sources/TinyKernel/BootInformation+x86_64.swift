#if arch(x86_64)
  import Handover
  import Machine
  import MemoryAccess

  extension BootInformation {
    init(at address: UInt64, enteredBy entry: UInt32) {
      self.init()
      if entry == UInt32(ENTERED_BY_PVH) {
        readStartInfo(at: address)
      } else {
        readBootParameters(at: address)
      }
    }

    /// What a virtual machine's loader passes: `hvm_start_info` of the PVH boot protocol.
    private mutating func readStartInfo(at address: UInt64) {
      guard machine_load32(address) == 0x336e_c578 else { panic("no start_info at the PVH entry") }
      if machine_load32(address + 12) > 0 {
        let first = machine_load64(address + 16)
        module = range(machine_load64(first), machine_load64(first + 8))
      }
      options = Options(parsingAt: machine_load64(address + 24))
      let map = machine_load64(address + 40)
      for index in 0..<UInt64(machine_load32(address + 48)) {
        let entry = map + 24 * index
        append(
          range(machine_load64(entry), machine_load64(entry + 8)),
          kind: machine_load32(entry + 16))
      }
    }

    /// What Linux passes to the next kernel, and this kernel to itself: `boot_params`.
    private mutating func readBootParameters(at address: UInt64) {
      for index in 0..<UInt64(min(machine_load8(address + 0x1e8), 128)) {
        let entry = address + 0x2d0 + 20 * index
        append(
          range(machine_load64(entry), machine_load64(entry + 8)),
          kind: machine_load32(entry + 16))
      }
      let start = UInt64(machine_load32(address + 0x218)) | high(address + 0xc0)
      let byteCount = UInt64(machine_load32(address + 0x21c)) | high(address + 0xc4)
      if byteCount > 0 { module = range(start, byteCount) }
      options = Options(
        parsingAt: UInt64(machine_load32(address + 0x228)) | high(address + 0xc8))
      setupData = PhysicalAddress(machine_load64(address + 0x250))
    }

    /// Looks for the handover in the list of setup data.
    mutating func findHandover(in memory: Memory) {
      do throws(RecordError) {
        guard let entry = try SetupDataRecord.find(inListAt: setupData, of: memory) else { return }
        let record = try SetupDataRecord(at: entry, in: memory)
        handover = Handover(deviceTree: record.deviceTree, scratchArray: record.scratchAreas)
      } catch {
        panic("the list of setup data cannot be read")
      }
    }

    private func high(_ address: UInt64) -> UInt64 { UInt64(machine_load32(address)) << 32 }

    private func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
      PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount)
        ?? PhysicalRange(start: .zero, byteCount: 0)
    }
  }
#endif
