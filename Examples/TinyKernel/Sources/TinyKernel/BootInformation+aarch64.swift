#if arch(arm64)
  import DeviceTreeBlob
  import Machine
  import MemoryAccess

  extension BootInformation {
    init(at address: UInt64, enteredBy entry: UInt32) {
      self.init()
      deviceTree = PhysicalAddress(address)
      let byteCount = UInt64(machine_load32(address + 4).byteSwapped)
      let range = PhysicalRange(start: deviceTree, byteCount: min(byteCount, 2 << 20))
      // SAFETY: the loader promises a device tree at the address, and one is at most 2 MiB long.
      let memory = unsafe DirectMap(range, mappedAt: machine_pointer(address))
      let isRead: Void? = memory.withBytes(in: range) { bytes in
        do throws(DeviceTreeError) {
          try read(DeviceTree(validating: bytes))
        } catch {
          panic("the machine's device tree is malformed")
        }
      }
      guard isRead != nil else { panic("no device tree at the entry") }
    }

    /// The device tree named it already.
    mutating func findHandover(in memory: Memory) {}

    private mutating func read(_ tree: borrowing DeviceTree) throws(DeviceTreeError) {
      var children = tree.root.children
      while let node = try children.next() {
        if let kind = try node.property(named: "device_type"), let kind = kind.string,
          kind == "memory"
        {
          if let region = try node.property(named: "reg"), let cells = region.bigEndianUInt64Pair {
            append(range(cells.first, cells.second), kind: 1)
          }
        }
      }
      guard let chosen = try tree.root.child(named: "chosen") else { return }
      if let start = try number("linux,initrd-start", of: chosen),
        let end = try number("linux,initrd-end", of: chosen), start < end
      {
        module = range(start, end - start)
      }
      // The two properties by which a kexec passes a handover on.
      if let root = try chosen.property(named: "linux,kho-fdt"),
        let root = root.bigEndianUInt64Pair,
        let scratch = try chosen.property(named: "linux,kho-scratch"),
        let scratch = scratch.bigEndianUInt64Pair
      {
        handover = Handover(
          deviceTree: PhysicalAddress(root.first),
          scratchArray: range(scratch.first, scratch.second))
      }
      if let text = try chosen.property(named: "bootargs") {
        options = Options(parsingAt: deviceTree.rawValue + UInt64(text.valueRange.lowerBound))
      }
    }

    private func number(
      _ name: String, of node: borrowing DeviceTreeNode
    ) throws(DeviceTreeError) -> UInt64? {
      guard let property = try node.property(named: name) else { return nil }
      return property.bigEndianUInt64 ?? property.bigEndianUInt32.map { UInt64($0) }
    }

    private func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
      PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount)
        ?? PhysicalRange(start: .zero, byteCount: 0)
    }
  }
#endif
