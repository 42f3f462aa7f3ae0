#if arch(arm64)
  import DeviceTreeBlob
  import Handover
  import Machine
  import MemoryAccess

  /// An arm64 Image: Linux, or this kernel.
  struct KernelImage {
    private let file: PhysicalRange

    /// The image in `file`; nil if it is not one.
    init?(_ file: PhysicalRange) {
      guard file.byteCount > 64, machine_load32(file.start.rawValue + 56) == 0x644d_5241 else {
        return nil
      }
      self.file = file
    }

    /// The bytes that the kernel needs from its load address on.
    var memoryByteCount: UInt64 { machine_load64(file.start.rawValue + 16) }

    /// The first address in `range` where the kernel can be loaded.
    func loadAddress(in range: PhysicalRange) -> UInt64 {
      let alignment: UInt64 = 2 << 20
      let base = (range.start.rawValue + alignment - 1) & ~(alignment - 1)
      return base + machine_load64(file.start.rawValue + 8)
    }

    fileprivate func append(to list: inout CopyList, at load: UInt64) {
      list.append(file, to: load)
    }
  }

  extension Kernel {
    /// Enters `image` at `load` as a boot loader of Linux does: with the machine's device tree, in
    /// which `chosen` is new.
    func start(
      _ image: KernelImage, at load: UInt64, with files: PhysicalRange,
      from source: PhysicalRange = PhysicalRange(start: .zero, byteCount: 0)
    ) -> Never {
      let tree = writeDeviceTree(files)
      var list = CopyList()
      image.append(to: &list, at: load)
      list.append(source, to: files.start.rawValue)
      list.append(tree, to: tree.start.rawValue)  // to itself: out of the caches
      list.jump(to: load, argument: tree.start.rawValue)
    }

    private func writeDeviceTree(_ files: PhysicalRange) -> PhysicalRange {
      // Into the half of the place in which this kernel's own tree is not.
      let half = UInt64(BOOT_DEVICE_TREE_BYTES) / 2
      let first = PhysicalRange(
        start: PhysicalAddress(machine_image_start() + UInt64(BOOT_DEVICE_TREE)), byteCount: half)
      let target =
        first.contains(boot.deviceTree)
        ? PhysicalRange(start: first.start.advanced(byBytes: half), byteCount: half) : first
      let byteCount = UInt64(machine_load32(boot.deviceTree.rawValue + 4).byteSwapped)
      let source = PhysicalRange(start: boot.deviceTree, byteCount: byteCount)
      let isWritten: Void? = memory.withBytes(in: source) { bytes in
        memory.withMutableBytes(in: target) { output in
          do throws(DeviceTreeEditError) {
            let tree: DeviceTree
            do throws(DeviceTreeError) { tree = try DeviceTree(validating: bytes) } catch {
              throw .malformed(error)
            }
            _ = try tree.write(into: &output, replacingChild: "chosen", with: "chosen") {
              (node) throws(DeviceTreeWriterError) in try writeChosen(files, to: &node)
            }
          } catch {
            panic("the device tree for the next kernel cannot be written")
          }
        }
      }
      guard isWritten != nil else { panic("this kernel's device tree is outside memory") }
      return target
    }

    @_lifetime(node: copy node)
    private func writeChosen(
      _ files: PhysicalRange, to node: inout DeviceTreeWriter
    ) throws(DeviceTreeWriterError) {
      let line = PhysicalAddress(machine_image_start() + UInt64(BOOT_COMMAND_LINE))
      var byteCount: UInt64 = 1
      while machine_load8(line.rawValue + byteCount - 1) != 0 { byteCount += 1 }
      let text = PhysicalRange(start: line, byteCount: byteCount)
      let result: Result<Void, DeviceTreeWriterError>? = memory.withBytes(in: text) { bytes in
        do throws(DeviceTreeWriterError) {
          return .success(try node.property("bootargs", bytes: bytes))
        } catch {
          return .failure(error)
        }
      }
      try result?.get()
      try node.property("stdout-path", string: "/pl011@9000000")
      if !files.isEmpty {
        try node.property("linux,initrd-start", bigEndianUInt64: files.start.rawValue)
        try node.property(
          "linux,initrd-end", bigEndianUInt64: files.start.rawValue + files.byteCount)
      }
      let array = handover.anchor.scratchArray
      try node.property(
        "linux,kho-fdt", bigEndianUInt64Pair: (handover.anchor.deviceTree.rawValue, 4096))
      try node.property(
        "linux,kho-scratch", bigEndianUInt64Pair: (array.start.rawValue, array.byteCount))
    }
  }
#endif
