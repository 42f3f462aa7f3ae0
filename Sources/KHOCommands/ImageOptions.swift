internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// The options of every command that reads an image.
struct ImageOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "An ELF core or a compressed dump (kdump) of a machine's memory, or raw memory.",
      valueName: "image"),
    completion: .file())
  var imagePath: String?

  @Flag(
    name: .customLong("live"),
    help: ArgumentHelp(
      "Read the running system instead of an image: debugfs and /proc/kcore or /dev/mem.",
      discussion: "It changes while it is read, so what looks like damage is read twice."))
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
      "Read only the handover whose root device tree lies at ADDR.", valueName: "addr"))
  var deviceTreeAddress: AddressArgument?

  @Option(
    name: .customLong("base"),
    help: ArgumentHelp("The physical address of a raw image's first byte.", valueName: "addr"))
  var baseAddress: AddressArgument?

  @OptionGroup var layout: LayoutOptions

  @Flag(help: "Print JSON.")
  var json = false

  /// How the image is called in sentences.
  var image: String { isLive ? "live" : imagePath ?? "" }

  func validate() throws {
    guard isLive != (imagePath != nil) else {
      throw ValidationError(
        isLive
          ? "IMAGE and --live both name a memory; give one."
          : "Name an IMAGE, or give --live for the running system.")
    }
    if isLive, baseAddress != nil {
      throw ValidationError("--base is for raw images; the running system needs none.")
    }
    if deviceTreePath != nil, deviceTreeAddress != nil {
      throw ValidationError("--fdt and --fdt-address both name a root device tree; give one.")
    }
  }
}

extension ImageOptions {
  /// Opens the image, finds the handovers, and reads them.
  ///
  /// - Throws: `CommandFailure` when there is no image or nothing in it.
  func load() throws(CommandFailure) -> LoadedImage {
    let loaded = try find().loaded(self)
    guard isLive, loaded.surveys.contains(where: { $0.error != nil }) else { return loaded }
    // What a running system writes while it is read looks like damage; the second time it is over.
    let again = try find().loaded(self)
    if again.surveys.contains(where: { $0.error != nil }) {
      Console.current.complain(
        "kho: live: read twice; still, what is missing may be due to changes while it was read")
    }
    return again
  }

  /// Opens the image, and finds the handovers.
  ///
  /// - Throws: `CommandFailure` when there is no image or nothing in it.
  func find() throws(CommandFailure) -> FoundHandovers {
    let (memory, memoryFile) = try open()
    var omittedCount: UInt64 = 0
    let sources = try sources(in: memory, memoryFile, &omittedCount)
    guard !sources.isEmpty else {
      throw .badInput(
        "\(image): no root device tree of a handover at the start of any page; where it lies "
          + "elsewhere, say where with --fdt-address, or give it with --fdt")
    }
    return FoundHandovers(
      path: image, memory: memory, memoryFile: memoryFile, sources: sources,
      omittedCount: omittedCount,
      toldGeometry: layout.pageSize?.geometry ?? memoryFile?.superblock.geometry
        ?? memory.notedPageSize ?? (isLive ? liveRoot.system.pageSize : nil))
  }

  /// Opens the image; where it is a memory file, which carries its own addresses, reads what it says
  /// of itself.
  func open() throws(CommandFailure) -> (memory: MemoryImage, memoryFile: MemoryContents?) {
    if isLive { return (.live(try liveRoot.system.memory()), nil) }
    let path = FilePath(image)
    if baseAddress == nil, let file = MemoryImage.memoryFile(at: path) {
      do throws(MemoryContentsError) { return (file, try MemoryContents(reading: file)) } catch {
        throw .badInput("\(image): \(error.sentence)")
      }
    }
    do throws(MemoryImageError) {
      return (try MemoryImage.open(path, base: baseAddress?.address), nil)
    } catch {
      throw .badInput("\(image): \(error.sentence)")
    }
  }

  private func sources(
    in memory: MemoryImage, _ memoryFile: MemoryContents?, _ omittedCount: inout UInt64
  ) throws(CommandFailure) -> [HandoverSurvey.Source] {
    if let deviceTreePath { return [.bytes(try readDeviceTree(deviceTreePath))] }
    if let deviceTreeAddress { return [.memory(deviceTreeAddress.address)] }
    if let memoryFile {
      let state = memoryFile.superblock.state
      guard state.deviceTree != .zero else {
        throw .badInput("\(image): a memory file in which no process has begun a handover yet")
      }
      return [state.deviceTree, state.nextDeviceTree].filter { $0 != .zero }.map { .memory($0) }
    }
    if case .live(let memory) = memory { return try liveRoot.system.sources(in: memory) }
    let progress = CommandProgress("scanned", of: memory.byteCount)
    let scanner = HandoverScanner(memory) { progress.report($0) }
    progress.end()
    omittedCount = scanner.omittedCount
    return scanner.addresses.map { .memory($0) }
  }

  private func readDeviceTree(_ path: String) throws(CommandFailure) -> [UInt8] {
    let limit = Int(RootDeviceTree.largestByteCount)
    do throws(MemoryImageError) {
      if let bytes = try SmallFile.read(FilePath(path), atMost: limit) { return bytes }
    } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
    throw .badInput("\(path): larger than the \(limit) bytes that a root device tree may have")
  }
}

extension MemoryImage {
  /// The file at `path` where it begins like a memory file; nil of any other, and of one that cannot
  /// be opened, which whoever opens it as an image finds out.
  fileprivate static func memoryFile(at path: FilePath) -> MemoryImage? {
    guard let file = try? open(path, base: .zero), SuperblockContents.isMemoryFile(file) else {
      return nil
    }
    return file
  }
}
