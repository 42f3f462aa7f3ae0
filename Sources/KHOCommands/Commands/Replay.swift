internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// `kho replay`: the handover of an image, for a kernel to boot from.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Makes a handover for a kernel to boot from, out of a dump.",
    discussion: """
      IMAGE is a dump that contains the content of the preserved pages: of a whole machine, or from \
      kho capture --with-contents. OUTPUT is one ELF file with the preserved memory at its addresses, \
      and a kernel with new scratch areas around it: qemu-system-x86_64 -kernel OUTPUT -m SIZE. Without \
      --kernel it is raw memory.

      A kernel restores only what its own version of the formats contains: see kho compat.

      Examples:
        kho replay --kernel bzImage --initramfs initramfs -o replayed.elf vmcore
        kho replay -o memory.raw vmcore

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions
  @OptionGroup var boot: BootOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let capture = try options.capture(withContents: true)
    let image = capture.image
    let readable = image.surveys.filter { $0.error == nil }
    guard let survey = readable.first, let address = survey.address else {
      throw CommandFailure.badInput(
        "\(image.name): \(image.surveys.first?.error?.sentence ?? "no handover at a known address")"
      )
    }
    if image.surveys.count > 1 {
      Console.current.complain(
        "\(image.name): of \(image.surveys.count) handovers, the one at \(address) is replayed; "
          + "choose another with --fdt-address")
    }
    let contents = try boot.contents()
    let page = UInt64(survey.geometry.pageByteCount)
    let deviceTree = PhysicalRange(
      start: address,
      byteCount: image.memory.deviceTreeByteCount(at: address, pageByteCount: page))
    let end = capture.existing.ranges.last?.last?.rawValue ?? 0
    let unit: UInt64 = 64 << 20
    let memory = boot.memory?.byteCount ?? (end / unit + 1) * unit
    let areas: [ScratchArea]
    do throws(ForgeError) {
      let byteCount = try contents?.scratchByteCount() ?? 128 << 20
      areas = try [ScratchArea](
        replaying: capture.stored, byteCount: byteCount, memoryByteCount: memory)
    } catch {
      throw CommandFailure.badInput("\(image.name): \(error.description)")
    }
    let report = try boot.write(
      image.memory, deviceTree, capture.stored, areas,
      machine: PhysicalRange(start: .zero, byteCount: memory), setupData: nil, scratchArray: nil,
      contents, image.name, reading: options.inputs)
    report.print(asJSON: json)
  }
}

extension MemoryImage {
  /// The length of the root device tree, in whole pages, as its header says; a page where that is not
  /// a root device tree's.
  fileprivate func deviceTreeByteCount(
    at address: PhysicalAddress, pageByteCount: UInt64
  ) -> UInt64 {
    let header = PhysicalRange(checkedStart: address, byteCount: 8)
    let bytes = header.flatMap { withBytes(in: $0) { $0.copiedBytes() } } ?? []
    let recorded = bytes.dropFirst(4).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    let byteCount = recorded <= RootDeviceTree.largestByteCount ? max(recorded, 1) : 1
    return (byteCount + pageByteCount - 1) / pageByteCount * pageByteCount
  }
}
