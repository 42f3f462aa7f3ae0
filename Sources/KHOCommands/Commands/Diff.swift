internal import ArgumentParser
internal import KexecHandover

/// `kho diff`: what one handover has and another does not.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Shows what differs between two handovers.",
    discussion: """
      A and B are images, memory files, or `live` for the running system, in any combination. `diff` compares \
      the version and the page size; the entries, by address and size; the blobs, by name: \
      address, size, bytes; and the known records (reserve_mem regions, kexec metadata, live \
      update sessions and their files, with their lists of folios). It does not compare the content of \
      preserved pages: for files, compare what `inspect --checksums` prints.

      If an image contains several handovers, the first that can be read is compared. After a kexec \
      that is usually the outgoing one, since the kernel has reused the nodes of the incoming one. \
      --fdt-address-a and --fdt-address-b choose another.

      Examples:
        kho diff before.elf after.elf
        kho diff --fdt-address-b 0xd10000 first.elf second.elf
        kho diff --json /dev/shm/service.old /dev/shm/service
        kho diff captured-before-the-update.elf live

      \(ExitStatus.help)
      """)

  @Argument(help: "An image, a memory file, or live.", completion: .file())
  var first: String

  @Argument(help: "Another, or the same.", completion: .file())
  var second: String

  @Option(
    name: .customLong("fdt-address-a"),
    help: ArgumentHelp("Which handover of A to compare.", valueName: "addr"))
  var addressA: AddressArgument?

  @Option(
    name: .customLong("fdt-address-b"),
    help: ArgumentHelp("Which handover of B to compare.", valueName: "addr"))
  var addressB: AddressArgument?

  @Option(
    name: .customLong("base-a"),
    help: ArgumentHelp("The physical address of a raw A's first byte.", valueName: "addr"))
  var baseA: AddressArgument?

  @Option(
    name: .customLong("base-b"),
    help: ArgumentHelp("The physical address of a raw B's first byte.", valueName: "addr"))
  var baseB: AddressArgument?

  @OptionGroup var layout: LayoutOptions

  @OptionGroup var liveRoot: LiveRoot

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    for (name, base) in [(first, baseA), (second, baseB)]
    where name == HandoverImage.liveName && base != nil {
      throw ValidationError("A base is for raw images; the running system needs none.")
    }
  }

  func run() throws {
    let a = try side(first, addressA, baseA)
    let b = try side(second, addressB, baseB)
    let printer = DiffPrinter(HandoverDiff(a, b))
    let isSame = json ? printer.printJSON() : printer.printText()
    if !isSame { throw CommandFailure.findings() }
  }

  private func side(
    _ path: String, _ address: AddressArgument?, _ base: AddressArgument?
  ) throws(CommandFailure) -> HandoverDiff.Side {
    var options = layout.imageOptions
    if let address { options.deviceTree = .address(address.address) }
    options.rawPlacement = base.map { .layout(RawLayout(base: $0.address)) }
    let image = try HandoverImage.load(path, options, liveRoot)
    let survey = try image.firstReadable(choosingWith: "--fdt-address-a or --fdt-address-b")
    return HandoverDiff.Side(survey, of: image)
  }
}
