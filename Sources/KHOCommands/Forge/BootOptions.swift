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
    do throws(MemoryImageError) {
      if let bytes = try SmallFile.read(FilePath(path), atMost: Self.largestByteCount) {
        return bytes
      }
    } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
    throw .badInput("\(path): larger than \(byteText(UInt64(Self.largestByteCount)))")
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
        (missing, load) = (try write(image, from: memory, to: file), nil)
      } else {
        (missing, load) = try writeRaw(memory, stored, to: file)
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

  private func write(
    _ image: BootImage, from memory: some PhysicalMemory, to output: consuming OutputFile
  ) throws(OutputFileError) -> PhysicalRange? {
    var file = output
    var end: UInt64 = 0
    let missing = try image.write(from: memory) { (bytes, offset) throws(OutputFileError) in
      let offset = UInt64(offset)
      precondition(offset >= end, "bytes of a boot image out of order")
      try file.writeZeros(offset - end)
      try file.write(bytes)
      end = offset + UInt64(bytes.byteCount)
    }
    if missing == nil {
      try file.writeZeros(UInt64(image.fileByteCount) - end)
      try file.finish()
    }
    return missing
  }

  /// Writes the stored memory, from its first byte to its last; what is not stored is a hole.
  private func writeRaw(
    _ memory: some PhysicalMemory, _ stored: MemoryMap, to output: consuming OutputFile
  ) throws(OutputFileError) -> (missing: PhysicalRange?, load: PhysicalRange?) {
    guard let first = stored.ranges.first, let last = stored.ranges.last?.last else {
      throw .cannotWrite(.invalidArgument)
    }
    let whole = PhysicalRange(
      start: first.start, byteCount: last.rawValue - first.start.rawValue + 1)
    var file = output
    var end = first.start.rawValue
    for range in stored.ranges {
      var done: UInt64 = 0
      try file.writeZeros(range.start.rawValue - end)
      end = range.start.rawValue + range.byteCount
      while done < range.byteCount {
        let piece = PhysicalRange(
          start: range.start.advanced(byBytes: done),
          byteCount: min(1 << 20, range.byteCount - done))
        let isRead: Void? = try memory.withBytes(in: piece) { (bytes) throws(OutputFileError) in
          if bytes.isAllZeros {
            try file.writeZeros(piece.byteCount)
          } else {
            try file.write(bytes)
          }
        }
        guard isRead != nil else { return (piece, nil) }
        done += piece.byteCount
      }
    }
    try file.finish()
    return (nil, whole)
  }
}

extension RawSpan {
  fileprivate var isAllZeros: Bool {
    // SAFETY: the buffer is read within the call.
    unsafe withUnsafeBytes { bytes in unsafe bytes.allSatisfy { $0 == 0 } }
  }
}
