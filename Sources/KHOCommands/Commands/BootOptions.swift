internal import ArgumentParser
internal import KexecHandover
internal import Platform
internal import SystemPackage

/// What is made of a handover: raw memory, or one file that boots.
struct BootOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "output"),
    completion: .file())
  var output: String

  @Option(
    help: ArgumentHelp("A bzImage of x86-64, to boot with the handover.", valueName: "file"),
    completion: .file())
  var kernel: String?

  @Option(
    help: ArgumentHelp("The kernel's initramfs.", valueName: "file"), completion: .file())
  var initramfs: String?

  @Option(help: ArgumentHelp("The kernel's command line.", valueName: "text"))
  var append = ""

  @Option(
    help: ArgumentHelp(
      "The size of the machine's memory; by default, the smallest that fits.", valueName: "size"))
  var memory: SizeArgument?

  @OptionGroup var forced: ForceOption

  func validate() throws {
    if kernel == nil, initramfs != nil || !append.isEmpty {
      throw ValidationError("--initramfs and --append go with --kernel.")
    }
  }

  /// The kernel, and what goes with it; nil where none is to be booted.
  func contents() throws(CommandFailure) -> BootImage.Contents? {
    guard let kernel else { return nil }
    return BootImage.Contents(
      kernel: try read(kernel), initramfs: try initramfs.map(read), commandLine: append)
  }

  /// The largest kernel or initramfs that is taken: what is below 4 GiB, less the rest.
  private static var largestByteCount: Int { 2 << 30 }

  private func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    try InputFile.read(path, atMost: Self.largestByteCount)
  }

  /// Writes the file.
  func write(
    _ memory: some PhysicalMemory, _ deviceTree: PhysicalRange, _ stored: MemoryMap,
    _ scratchAreas: [ScratchArea], machine: PhysicalRange, setupData: PhysicalAddress?,
    scratchArray: PhysicalRange?, _ contents: BootImage.Contents?, _ source: String,
    reading sources: [FilePath]
  ) throws(CommandFailure) -> ForgeReport {
    let inputs = sources + [kernel, initramfs].compactMap { $0.map { FilePath($0) } }
    let missing: PhysicalRange?
    let load: PhysicalRange?
    let image = try contents.map { (contents) throws(CommandFailure) in
      do throws(ForgeError) {
        return try BootImage(
          contents, deviceTree: deviceTree, stored: stored, scratchAreas: scratchAreas,
          memoryByteCount: machine.byteCount)
      } catch {
        throw CommandFailure.badInput("\(source): \(error.description)")
      }
    }
    let file = try OutputFile.open(
      output, OutputRules(isForced: forced.force, isSecret: true, reading: inputs))
    do throws(OutputFileError) {
      if let image {
        (missing, load) = (try image.write(from: memory, to: file), nil)
      } else {
        (missing, load) = try stored.write(from: memory, to: file)
      }
    } catch {
      throw .badOutput("\(printable(path: output)): \(error.description)")
    }
    if let missing { throw .badInput("\(source): the memory at \(missing) cannot be read") }
    return ForgeReport(
      path: output, isBootable: contents != nil, memory: machine, load: load,
      deviceTree: deviceTree, scratchAreas: scratchAreas, scratchArray: scratchArray,
      setupData: setupData)
  }

  /// Writes a machine's device tree beside the memory, and returns its path.
  ///
  /// - Parameters:
  ///   - deviceTree: the bytes of the tree.
  ///   - source: the path of the description.
  ///   - machine: the path of the file that the machine's tree was read from.
  func write(
    _ deviceTree: [UInt8], reading source: String, _ machine: String?
  ) throws(CommandFailure) -> String {
    let path = output + ".dtb"
    let inputs = [source, machine].compactMap { $0.map { FilePath($0) } }
    try OutputFile.write(
      deviceTree, to: path, OutputRules(isForced: forced.force, isSecret: false, reading: inputs))
    return path
  }
}
