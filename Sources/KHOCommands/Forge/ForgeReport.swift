internal import KexecHandover

/// What `kho forge` and `kho replay` print: schema `kho-forge/1`.
struct ForgeReport: Encodable {
  let schema = "kho-forge/1"
  /// The file that was written.
  let file: String
  /// Whether it is one ELF file with a kernel inside.
  let bootable: Bool
  /// The size of the machine's memory in bytes, which starts at `memoryStart`.
  let memoryBytes: UInt64
  let memoryStart: UInt64
  /// Where raw memory is to be loaded, and its size; absent of a file that boots.
  let loadAddress: UInt64?
  let loadBytes: UInt64?
  /// The root device tree.
  let fdtAddress: UInt64
  let fdtBytes: UInt64
  /// The scratch areas, and the array that names them.
  let scratch: [Area]
  let scratchArrayAddress: UInt64?
  let scratchArrayBytes: UInt64?
  /// The entry for the list of setup data of x86-64.
  let setupDataAddress: UInt64?

  struct Area: Encodable {
    let start: UInt64
    let bytes: UInt64
  }

  private enum CodingKeys: CodingKey {
    case schema, file, bootable, memoryBytes, memoryStart, loadAddress, loadBytes, fdtAddress
    case fdtBytes, scratch, scratchArrayAddress, scratchArrayBytes, setupDataAddress
  }

  init(
    file: String, bootable: Bool, memory: PhysicalRange, load: PhysicalRange?,
    deviceTree: PhysicalRange, scratchAreas: [ScratchArea], setupData: PhysicalAddress?,
    scratchArray: PhysicalRange?
  ) {
    self.file = file
    self.bootable = bootable
    memoryBytes = memory.byteCount
    memoryStart = memory.start.rawValue
    loadAddress = load?.start.rawValue
    loadBytes = load?.byteCount
    fdtAddress = deviceTree.start.rawValue
    fdtBytes = deviceTree.byteCount
    scratch = scratchAreas.map { Area(start: $0.range.start.rawValue, bytes: $0.range.byteCount) }
    scratchArrayAddress = scratchArray?.start.rawValue
    scratchArrayBytes = scratchArray?.byteCount
    setupDataAddress = setupData?.rawValue
  }

  func print(asJSON: Bool) {
    let console = Console.current
    if asJSON { return console.printJSON(self) }
    let mebibytes = (memoryBytes + (1 << 20) - 1) >> 20
    if bootable {
      console.print("\(file): boots with: qemu-system-x86_64 -m \(mebibytes) -kernel \(file)")
    } else if let loadAddress, let loadBytes {
      console.print(
        "\(file): \(byteText(loadBytes)) of memory, to be loaded at \(PhysicalAddress(loadAddress)): "
          + "-device loader,file=\(file),addr=0x\(String(loadAddress, radix: 16)),force-raw=on")
    }
    console.print("  memory            \(byteText(memoryBytes)) at \(PhysicalAddress(memoryStart))")
    console.print(
      "  root device tree  \(PhysicalAddress(fdtAddress)), \(byteText(fdtBytes))")
    for area in scratch {
      console.print("  scratch area      \(PhysicalAddress(area.start)), \(byteText(area.bytes))")
    }
    guard !bootable else { return }
    if let scratchArrayAddress, let scratchArrayBytes {
      console.print(
        "  scratch array     \(PhysicalAddress(scratchArrayAddress)), \(byteText(scratchArrayBytes))"
      )
    }
    if let setupDataAddress {
      console.print(
        "  setup data        \(PhysicalAddress(setupDataAddress)), to be stored at 0x250 of the bzImage"
      )
    }
  }
}
