#if arch(x86_64)
  import Handover
  import Machine
  import MemoryAccess

  /// A bzImage: Linux, or this kernel.
  struct KernelImage {
    private let file: PhysicalRange
    private let payload: PhysicalRange

    /// The image in `file`; nil if it is not one that can be entered in 64-bit mode.
    init?(_ file: PhysicalRange) {
      let start = file.start.rawValue
      guard file.byteCount > 0x1000, machine_load32(start + 0x202) == 0x5372_6448,  // "HdrS"
        machine_load16(start + 0x206) >= 0x20c, machine_load16(start + 0x236) & 1 != 0
      else { return nil }
      let sectors = UInt64(machine_load8(start + 0x1f1))
      let offset = ((sectors == 0 ? 4 : sectors) + 1) * 512
      guard offset < file.byteCount else { return nil }
      self.file = file
      payload = PhysicalRange(
        start: file.start.advanced(byBytes: offset), byteCount: file.byteCount - offset)
    }

    /// The bytes that the kernel needs from its load address on.
    var memoryByteCount: UInt64 {
      max(UInt64(machine_load32(file.start.rawValue + 0x260)), payload.byteCount)
    }

    /// The first address in `range` where the kernel can be loaded.
    func loadAddress(in range: PhysicalRange) -> UInt64 {
      let alignment = UInt64(machine_load32(file.start.rawValue + 0x230))
      return (range.start.rawValue + alignment - 1) & ~(alignment - 1)
    }

    fileprivate var header: PhysicalRange {
      let byteCount = 0x202 + UInt64(machine_load8(file.start.rawValue + 0x201)) - 0x1f1
      return PhysicalRange(start: file.start.advanced(byBytes: 0x1f1), byteCount: byteCount)
    }

    fileprivate func append(to list: inout CopyList, at load: UInt64) {
      list.append(payload, to: load)
    }
  }

  extension Kernel {
    /// Enters `image` at `load` as a boot loader of Linux does: boot_params, with the memory map, the
    /// initial files and the chain of setup_data.
    func start(
      _ image: KernelImage, at load: UInt64, with files: PhysicalRange,
      from source: PhysicalRange = PhysicalRange(start: .zero, byteCount: 0)
    ) -> Never {
      let parameters = machine_image_start() + UInt64(BOOT_PARAMETERS)
      machine_fill(parameters, 0, 4096)
      machine_copy(parameters + 0x1f1, image.header.start.rawValue, image.header.byteCount)
      machine_store8(parameters + 0x210, 0xff)  // a loader without a number of its own
      machine_store8(parameters + 0x211, machine_load8(parameters + 0x211) | 1)
      machine_store32(parameters + 0x214, UInt32(truncatingIfNeeded: load))
      machine_store32(parameters + 0x218, UInt32(truncatingIfNeeded: files.start.rawValue))
      machine_store32(parameters + 0xc0, UInt32(files.start.rawValue >> 32))
      machine_store32(parameters + 0x21c, UInt32(truncatingIfNeeded: files.byteCount))
      let line = machine_image_start() + UInt64(BOOT_COMMAND_LINE)
      machine_store32(parameters + 0x228, UInt32(truncatingIfNeeded: line))
      machine_store32(parameters + 0xc8, UInt32(line >> 32))
      machine_store64(parameters + 0x250, handover.anchor.setupData.rawValue)
      machine_store8(parameters + 0x1e8, UInt8(boot.regionCount))
      for index in 0..<boot.regionCount {
        let entry = parameters + 0x2d0 + 20 * UInt64(index)
        let region = boot.region(index)
        machine_store64(entry, region.range.start.rawValue)
        machine_store64(entry + 8, region.range.byteCount)
        machine_store32(entry + 16, region.kind)
      }
      var list = CopyList()
      image.append(to: &list, at: load)
      list.append(source, to: files.start.rawValue)
      list.jump(to: load + 0x200, argument: parameters)
    }
  }
#endif
