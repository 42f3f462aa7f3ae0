import Handover
import Machine
import MemoryAccess

/// What is copied where before the next kernel runs.
///
/// The list, the code that works through it, and the information for the next kernel are in the boot area,
/// to which nothing is copied.
struct CopyList {
  private var next = machine_image_start() + UInt64(BOOT_COPY_LIST)

  mutating func append(_ source: PhysicalRange, to target: UInt64) {
    if source.isEmpty { return }
    store(target, source.start.rawValue, source.byteCount)
  }

  /// Ends the list, and jumps.
  mutating func jump(to entry: UInt64, argument: UInt64) -> Never {
    store(0, 0, 0)
    machine_kexec(machine_image_start() + UInt64(BOOT_COPY_LIST), entry, argument)
  }

  private mutating func store(_ target: UInt64, _ source: UInt64, _ byteCount: UInt64) {
    machine_store64(next, target)
    machine_store64(next + 8, source)
    machine_store64(next + 16, byteCount)
    next += 24
  }
}

extension Kernel {
  /// Boots the next generation: the same image, to the place where this one runs.
  mutating func bootItself() {
    guard let image = KernelImage(stash.part(Stash.ownImage)) else {
      panic("the stash holds no image of this kernel")
    }
    say(
      "  kexec of TinyKernel; stack peak \(machine_stack_peak()), heap peak \(machine_heap_peak())")
    start(image, at: machine_image_start(), with: PhysicalRange(start: .zero, byteCount: 0))
  }

  /// Boots Linux with the handover as it is; where the stash holds none, ends the machine with success.
  mutating func bootLinux() throws(OutgoingHandoverError) {
    guard let image = KernelImage(stash.part(Stash.linuxImage)) else {
      say("TinyKernel: \(ledger.generation) generations, done")
      machine_exit(0)
    }
    try addRecordsForLinux()
    setCommandLine(stash.part(Stash.linuxCommandLine))
    let files = stash.part(Stash.linuxInitialFiles)
    let byteCount = image.memoryByteCount + files.byteCount + (2 << 20)
    for area in handover.scratchAreas where !area.range.overlaps(ownRange) {
      let load = image.loadAddress(in: area.range)
      guard load - area.range.start.rawValue + byteCount <= area.range.byteCount else { continue }
      let filesStart = (load + image.memoryByteCount + 0xf_ffff) & ~0xf_ffff
      say("  kexec of Linux at \(hex: load), initial files at \(hex: filesStart)")
      start(
        image, at: load,
        with: PhysicalRange(
          start: PhysicalAddress(filesStart), byteCount: files.byteCount), from: files)
    }
    panic("no scratch area has room for Linux and its initial files")
  }

  private func setCommandLine(_ text: PhysicalRange) {
    let line = machine_image_start() + UInt64(BOOT_COMMAND_LINE)
    machine_fill(line, 0, 2048)
    machine_copy(line, text.start.rawValue, min(text.byteCount, 2047))
  }
}
