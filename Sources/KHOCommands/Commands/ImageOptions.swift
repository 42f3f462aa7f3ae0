internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// The options of every command that reads an image.
struct ImageOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A dump of a machine's memory (ELF, kdump, LiME, AVML; also .gz, .zst, .xz), or raw memory.",
      valueName: "image"),
    completion: .file())
  var imagePath: String?

  @Flag(
    name: .customLong("live"),
    help: ArgumentHelp(
      "Read the running system instead of an image: debugfs and /proc/kcore or /dev/mem.",
      discussion: "Memory changes while it is read, so `kho` reads damaged parts twice."))
  var isLive = false

  // Not in a group with --live: in debug builds ArgumentParser checks a group within a group again with
  // each check of the one around it, for every command line. The tests took 65 s instead of 45.
  @OptionGroup var liveRoot: LiveRoot

  @Option(
    name: .customLong("fdt"),
    help: ArgumentHelp(
      "Read the root device tree from FILE, as from debugfs, instead of finding it in IMAGE.",
      valueName: "file"),
    completion: .file())
  var deviceTreePath: String?

  @Option(
    name: .customLong("fdt-address"),
    help: ArgumentHelp(
      "Read only the handover whose root device tree is at ADDR.", valueName: "addr"))
  var deviceTreeAddress: AddressArgument?

  @Option(
    name: .customLong("base"),
    help: ArgumentHelp(
      "IMAGE is raw memory; its first byte, or the one at OFFSET, is at ADDR.",
      discussion: "Can be given several times: each part goes up to the next OFFSET.",
      valueName: "[offset=]addr"))
  var bases: [BaseArgument] = []

  @Option(
    name: .customLong("vmm"),
    help: ArgumentHelp(
      "IMAGE is the memory file of a virtual machine of this KIND, without the hole below 4 GiB.",
      valueName: "kind"))
  var virtualMachine: VirtualMachineArgument?

  @Flag(
    name: .customLong("raw"),
    help:
      "Take IMAGE as raw memory of any content; without --base it starts at address 0."
  )
  var isRaw = false

  @Option(
    name: .customLong("part"),
    help: ArgumentHelp(
      "IMAGE is one part of a split dump, and FILE another. Can be given several times.",
      valueName: "file"),
    completion: .file())
  var parts: [String] = []

  @OptionGroup var layout: LayoutOptions

  /// How the image is called in sentences.
  var image: String { isLive ? "live" : imagePath ?? "" }

  func validate() throws {
    guard isLive != (imagePath != nil) else {
      throw ValidationError(
        isLive
          ? "IMAGE and --live both name a memory; give one."
          : "Name an IMAGE, or give --live for the running system.")
    }
    if isLive, isRawMemory || !parts.isEmpty {
      throw ValidationError(
        "--base, --vmm, --raw and --part are for files; the running system needs none.")
    }
    if virtualMachine != nil, !bases.isEmpty {
      throw ValidationError("--vmm and --base both place IMAGE in memory; give one.")
    }
    if !parts.isEmpty, isRawMemory {
      throw ValidationError("--part is for split dumps, which carry their own addresses.")
    }
    if RawLayout(bases.map(\.part)) == nil, !bases.isEmpty {
      throw ValidationError("Two of --base begin at the same offset of IMAGE.")
    }
    if deviceTreePath != nil, deviceTreeAddress != nil {
      throw ValidationError("--fdt and --fdt-address both name a root device tree; give one.")
    }
  }
}

extension ImageOptions {
  /// Whether the user says that the image is raw memory.
  private var isRawMemory: Bool { isRaw || virtualMachine != nil || !bases.isEmpty }

  /// Where the memory comes from.
  var source: HandoverImage.Source {
    isLive ? .runningSystem(root: liveRoot.folder) : .file(FilePath(image))
  }

  /// How the image is read.
  var imageOptions: HandoverImage.Options {
    var options = layout.imageOptions
    options.rawPlacement =
      virtualMachine.map { .machine($0.machine) }
      ?? RawLayout(bases.map(\.part)).map { .layout($0) }
    options.isRaw = isRaw
    options.parts = parts.map { FilePath($0) }
    if let deviceTreePath { options.deviceTree = .file(FilePath(deviceTreePath)) }
    if let deviceTreeAddress { options.deviceTree = .address(deviceTreeAddress.address) }
    return options
  }

  /// Opens the image, finds the handovers, and reads them.
  ///
  /// - Throws: `CommandFailure` if no image is given, or it cannot be read, or contains no handover.
  func load() throws(CommandFailure) -> HandoverImage {
    try HandoverImage.load(source, imageOptions)
  }

  /// Opens the image, finds the handovers, and reads them for a capture.
  ///
  /// - Throws: `CommandFailure` if no image is given, or it cannot be read, or contains no handover.
  func capture(withContents: Bool) throws(CommandFailure) -> HandoverCapture {
    let progress = CommandProgress("scanned", of: nil)
    defer { progress.end() }
    do throws(HandoverImageError) {
      return try HandoverCapture(
        of: source, options: imageOptions, withContents: withContents
      ) { progress.report($0, of: $1) }
    } catch {
      throw .badInput(error, of: source)
    }
  }
}
