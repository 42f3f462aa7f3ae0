internal import ArgumentParser
internal import KexecHandover
internal import Platform
internal import SystemPackage

/// `kho capture`: the handovers of an image, and nothing else of it.
struct Capture: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Writes a small image that contains only the handovers.",
    discussion: """
      Writes an ELF core with all that the other commands read: root device trees, tree nodes or kho-v1 chunks \
      and bitmaps, registered blobs, and the records that they point to. The handovers of a machine of any size \
      fit in a bug report, and `inspect`, `check` and `owners` print the same as for the image. The content of \
      preserved pages is left out: the capture describes that memory without storing it (PT_LOAD with \
      p_filesz < p_memsz). --with-contents adds it.

      A capture of a capture is the same file. The file appears when it is complete. Memory can \
      contain secrets, so only the file's owner can read it. Look at it before you send it.

      Examples:
        kho capture -o small.elf vmcore
        kho capture --with-contents -o replayable.elf vmcore
        kho capture --live -o running.elf

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"),
    completion: .file())
  var output: String

  @Flag(help: "Also store the preserved pages.")
  var withContents = false

  @OptionGroup var forced: ForceOption

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let capture = try options.capture(withContents: withContents)
    if let survey = capture.image.surveys.first(where: { $0.address == nil }) {
      throw CommandFailure.badInput(
        "\(capture.image.name): the \(survey.title) is at an unknown address, and a capture contains "
          + "memory by address; name it with --fdt-address")
    }
    let writer = capture.writer
    let progress = CommandProgress("wrote", of: writer.storedByteCount)
    let rules = OutputRules(isForced: forced.force, isSecret: true, reading: options.inputs)
    do {
      var file = try OutputFile.open(output, rules)
      try writer.write(to: &file, from: capture.image.memory) { progress.report($0) }
      do throws(OutputFileError) { try file.finish() } catch {
        throw CommandFailure.badOutput("\(printable(path: output)): \(error.description)")
      }
    } catch let error as CoreFileError {
      progress.end()
      throw failure(error)
    }
    progress.end()
    report(capture, writer)
    capture.image.complainAboutOmissions()
    try capture.image.requireAllFound()
  }

  private func failure(_ error: CoreFileError) -> CommandFailure {
    let output = printable(path: output)
    let written: OutputFileError
    switch error {
    case .cannotRead, .tooManySegments:
      let text = error.description
      return .badInput("\(output): " + text.prefix(1).lowercased() + text.dropFirst().dropLast())
    case .exists: written = .exists
    case .cannotCreate(let errno): written = .cannotCreate(errno)
    case .cannotWrite(let errno): written = .cannotWrite(errno)
    case .cannotRename(let errno): written = .cannotRename(errno)
    }
    return .badOutput("\(output): \(written.description)")
  }

  private func report(_ capture: HandoverCapture, _ writer: CoreFileWriter) {
    let console = Console.current
    if json {
      console.printJSON(JSONDocument.capture(capture, path: output))
      return
    }
    let handovers =
      capture.image.surveys.count == 1 ? "1 handover" : "\(capture.image.surveys.count) handovers"
    console.print(
      "\(output): \(handovers), \(byteText(writer.storedByteCount)) of "
        + "\(byteText(capture.existing.byteCount)) of memory")
  }
}
