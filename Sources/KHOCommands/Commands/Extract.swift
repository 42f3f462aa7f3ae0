internal import ArgumentParser
internal import KexecHandover
internal import Platform
internal import SystemPackage

/// `kho extract`: the bytes of something that is preserved.
struct Extract: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Extracts the bytes of a blob, a file, a region or a range of memory.",
    discussion: """
      Give one of --subtree, --memfd, --reserve-mem and --range. With --output the bytes go to FILE, which \
      only its owner can read and which appears when it is complete; otherwise to standard output, which must \
      not be a terminal.

      A file of a session is as long as its record states. Holes, and folios that are not up to date, \
      are zeros: holes of FILE, which use no space. Standard output has no holes, \
      so a file with more than 1 GiB of them needs --output. If a folio is not preserved, \
      or starts before one listed earlier, nothing is written.

      Nothing is written either if the dump does not contain some of the bytes, unless the dump marks them as \
      zeros. With --zero-missing they become zeros, and `kho` reports how many.

      Examples:
        kho extract --memfd vm-alpha:4096 -o alpha-4096 vmcore
        kho extract --subtree memblock vmcore > memblock.dtb
        kho extract --reserve-mem trace -o trace vmcore
        kho extract --range 0x521000-0x522000 vmcore | xxd

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Option(help: ArgumentHelp("The blob registered under NAME.", valueName: "name"))
  var subtree: String?

  @Option(
    help: ArgumentHelp(
      "The memfd that a session of the Live Update Orchestrator preserves under TOKEN.",
      valueName: "session:token"))
  var memfd: MemfdName?

  @Option(
    name: .customLong("reserve-mem"),
    help: ArgumentHelp("The region that reserve_mem set aside as NAME.", valueName: "name"))
  var region: String?

  @Option(
    name: .customLong("range"),
    help: ArgumentHelp(
      "The bytes from A up to but not including B, preserved or not.", valueName: "a-b"))
  var addresses: AddressFilter?

  @Flag(
    name: .customLong("zero-missing"),
    help: "Extract bytes that the dump does not contain as zeros, and say how many.")
  var fillsMissing = false

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Write to FILE instead of standard output.", valueName: "file"),
    completion: .file())
  var output: String?

  @OptionGroup var forced: ForceOption

  /// The most zeros that are written to standard output beyond the bytes that are stored.
  private static let zeroLimit: UInt64 = 1 << 30

  private var targets: [ExtractTarget] {
    [
      subtree.map { .subtree($0) }, memfd.map { .memfd(session: $0.session, token: $0.token) },
      region.map { .region($0) },
      addresses.map { .range($0.range) },
    ].compactMap { $0 }
  }

  func validate() throws {
    guard targets.count == 1 else {
      throw ValidationError("Give one of --subtree, --memfd, --reserve-mem and --range.")
    }
    if output == nil, Console.current.writesToTerminal {
      throw ValidationError("Standard output is a terminal; name a file with --output.")
    }
  }

  func run() throws {
    guard let target = targets.first else { return }
    let (memory, extraction) = try find(target)
    let failure = { (sentence: String) in
      CommandFailure.badInput("\(options.image): \(target.title): \(sentence)")
    }
    let stored: UInt64
    do throws(RecordError) {
      stored = try extraction.storedByteCount(in: memory)
    } catch {
      throw failure(error.sentence)
    }
    try checkLength(extraction.byteCount, stored: stored, failure)

    var file: OutputFile?
    if let output {
      file = try OutputFile.open(
        output, OutputRules(isForced: forced.force, isSecret: true, reading: options.inputs))
    }
    var sink = ExtractSink(file)
    do {
      try copy(extraction, of: memory, to: &sink)
    } catch let error as RecordError {
      throw failure(error.sentence)
    }
    do throws(OutputFileError) { try sink.finish() } catch { throw unwritable(error) }
  }

  /// Opens the image and finds the bytes, in whichever handover has them.
  private func find(_ target: ExtractTarget) throws(CommandFailure) -> (MemoryImage, Extraction) {
    if case .range(let range) = target {
      // Memory needs no handover.
      let memory: MemoryImage
      do throws(HandoverImageError) {
        memory = try HandoverImage.openMemory(options.source, options: options.imageOptions).memory
        Console.current.complain(of: memory, name: options.image)
      } catch {
        throw .badInput(error, of: options.source)
      }
      guard memory.contains(range) else {
        throw .badInput("\(options.image): \(range) is outside memory")
      }
      return (memory, .range(range))
    }
    let image = try options.load()
    var found: [(survey: HandoverSurvey, extraction: Extraction)] = []
    for survey in image.surveys {
      do throws(ExtractionError) {
        if let extraction = try target.find(in: survey, image.memory) {
          found.append((survey, extraction))
        }
      } catch {
        // Of several handovers, another may have it whole.
        let sentence = "\(image.name): \(survey.title): \(target.title): \(error.sentence)"
        guard image.surveys.count > 1 else { throw .badInput(sentence) }
        Console.current.complain("\(sentence)")
      }
    }
    guard let first = found.first else {
      throw .badInput("\(image.name): no handover has \(target.title), or it cannot be read")
    }
    guard found.count == 1 else {
      let addresses = found.compactMap { $0.survey.address?.description }.joined(separator: ", ")
      throw .badInput(
        "\(image.name): \(found.count) handovers have \(target.title); choose with --fdt-address: "
          + addresses)
    }
    return (image.memory, first.extraction)
  }

  private func checkLength(
    _ byteCount: UInt64, stored: UInt64, _ failure: (String) -> CommandFailure
  ) throws(CommandFailure) {
    guard byteCount <= UInt64(Int64.max) else {
      throw failure("it is said to have \(countText(byteCount, "byte")), more than any file can")
    }
    if output == nil, byteCount - stored > Self.zeroLimit {
      throw failure(
        "of its \(byteText(byteCount)), only \(byteText(stored)) are stored; name a file with "
          + "--output, in which the rest takes no room")
    }
  }

  private func copy(
    _ extraction: Extraction, of memory: MemoryImage, to sink: inout ExtractSink
  ) throws {
    let progress = CommandProgress("extracted", of: extraction.byteCount)
    defer { progress.end() }
    var byteCount: UInt64 = 0
    var unwritten: OutputFileError?
    var reader = PieceReader(memory, fillingMissing: fillsMissing)
    try extraction.forEachPiece(
      in: memory, &reader,
      bytes: { bytes in
        do throws(OutputFileError) {
          try sink.write(bytes)
        } catch {
          unwritten = error
          return false
        }
        byteCount += UInt64(bytes.byteCount)
        progress.report(byteCount)
        return sink.isWritable
      },
      zeros: { count in
        do throws(OutputFileError) {
          try sink.writeZeros(count)
        } catch {
          unwritten = error
          return false
        }
        byteCount += count
        progress.report(byteCount)
        return sink.isWritable
      })
    if let unwritten { throw self.unwritable(unwritten) }
    if reader.leftOutByteCount > 0 {
      Console.current.complain(
        "\(options.image): \(countText(reader.leftOutByteCount, "byte")) are zeros that the dump leaves"
          + " out")
    }
    if reader.missingByteCount > 0 {
      Console.current.complain(
        "\(options.image): \(countText(reader.missingByteCount, "byte")) are missing in the dump and"
          + " were extracted as zeros")
      Console.current.inputIsPartial = true
    }
  }

  private func unwritable(_ error: OutputFileError) -> CommandFailure {
    .badOutput("\(printable(path: output ?? "standard output")): \(error.description)")
  }
}
