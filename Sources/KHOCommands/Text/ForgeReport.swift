internal import KexecHandover

/// What `kho forge` and `kho replay` wrote, and where its parts are to be.
struct ForgeReport {
  /// The file that was written.
  let path: String
  /// Whether it is one ELF file with a kernel inside.
  let isBootable: Bool
  /// The machine's memory.
  let memory: PhysicalRange
  /// Where raw memory is to be loaded; nil of a file that boots.
  let load: PhysicalRange?
  /// The root device tree.
  let deviceTree: PhysicalRange
  let scratchAreas: [ScratchArea]
  /// The array that names the scratch areas.
  let scratchArray: PhysicalRange?
  /// The entry for the list of setup data of x86-64.
  let setupData: PhysicalAddress?
  /// The file with the machine's device tree that names the handover, for arm64.
  var machineTreePath: String?

  /// What is printed with `--json`: schema `kho-forge/1`.
  private var json: JSONValue {
    JSONDocument.make(
      "kho-forge/1",
      [
        "path": path, "isBootable": isBootable, "memoryAddress": memory.start,
        "memoryBytes": memory.byteCount, "loadAddress": load?.start, "loadBytes": load?.byteCount,
        "fdtAddress": deviceTree.start, "fdtBytes": deviceTree.byteCount,
        "scratch": scratchAreas.map { area in
          JSONValue(["address": area.range.start, "bytes": area.range.byteCount])
        },
        "scratchArrayAddress": scratchArray?.start, "scratchArrayBytes": scratchArray?.byteCount,
        "setupDataAddress": setupData, "machineTreePath": machineTreePath,
      ])
  }

  func print(asJSON: Bool) {
    let console = Console.current
    if asJSON { return console.printJSON(json) }
    let mebibytes = (memory.byteCount + (1 << 20) - 1) >> 20
    if isBootable {
      console.print("\(path): boots with: qemu-system-x86_64 -m \(mebibytes) -kernel \(path)")
    } else if let load {
      console.print(
        "\(path): \(byteText(load.byteCount)) of memory, to be loaded at \(load.start): "
          + "-device loader,file=\(path),addr=\(load.start),force-raw=on")
    }
    func show(_ title: String, _ text: String) {
      console.print("  \(title)\(String(repeating: " ", count: 18 - title.count))\(text)")
    }
    show("memory", "\(byteText(memory.byteCount)) at \(memory.start)")
    show("root device tree", "\(deviceTree.start), \(byteText(deviceTree.byteCount))")
    for area in scratchAreas {
      show("scratch area", "\(area.range.start), \(byteText(area.range.byteCount))")
    }
    guard !isBootable else { return }
    if let scratchArray {
      show("scratch array", "\(scratchArray.start), \(byteText(scratchArray.byteCount))")
    }
    if let machineTreePath { show("device tree", "\(machineTreePath): -dtb \(machineTreePath)") }
    if let setupData { show("setup data", "\(setupData), to be stored at 0x250 of the bzImage") }
  }
}
