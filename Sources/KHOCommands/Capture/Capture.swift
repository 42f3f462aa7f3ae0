internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// `kho capture`: the handovers of an image, and nothing else of it.
struct Capture: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a small image that holds just the handovers.",
    discussion: """
      Writes an ELF core with everything that the other commands read of the handovers: root device \
      trees, tree nodes or kho-v1 chunks and bitmaps, registered blobs, and the records that they lead \
      to. So the state of a machine of any size fits in a bug report, and `inspect`, `check` and `owners` say \
      of it what they say of the image. The contents of the preserved pages are left out: such memory is \
      described as existing and not stored (PT_LOAD with p_filesz < p_memsz). --with-contents adds them.

      A capture of a capture is the same file. It is written under another name first. Memory may hold \
      secrets, so the file is readable by its owner alone: look before you hand it on.

      Exit status: 0 written, 1 the input is bad or the file cannot be written, 2 the command line is \
      wrong.
      """)

  @OptionGroup var options: ImageOptions

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"),
    completion: .file())
  var output: String

  @Flag(help: "Also store the preserved pages.")
  var withContents = false

  @Flag(help: "Replace the file where there is one.")
  var force = false

  func run() throws {
    var found = try options.find()
    var plan = try CapturePlan(of: found, options, withContents: withContents)
    // What a running system writes while it is read looks like damage; the second time it is over.
    if options.isLive, plan.surveys.contains(where: { $0.error != nil }) {
      found = try options.find()
      plan = try CapturePlan(of: found, options, withContents: withContents)
    }
    if let survey = plan.surveys.first(where: { $0.address == nil }) {
      throw CommandFailure.badInput(
        "\(found.path): the \(survey.title) lies at an unknown address, and a capture holds memory by "
          + "address; name it with --fdt-address")
    }
    var writer = CoreFileWriter(existing: plan.existing, stored: plan.stored)
    writer.machine = found.memory.machine
    writer.vmcoreInfo =
      found.memory.vmcoreInfo
      ?? plan.toldGeometry.map { Array("PAGESIZE=\($0.pageByteCount)\n".utf8) }
    let progress = CommandProgress("wrote", of: writer.storedByteCount)
    do throws(CoreFileError) {
      try writer.write(
        to: FilePath(output), replacing: force, from: found.memory
      ) { progress.report($0) }
    } catch {
      progress.end()
      throw CommandFailure.badInput("\(output): \(sentence(error))")
    }
    progress.end()
    report(plan, writer)
    found.loaded(plan.surveys).complainAboutOmissions()
  }

  private func sentence(_ error: CoreFileError) -> String {
    if error == .exists { return "exists already; choose another name, or replace it with --force" }
    let text = error.description
    return text.prefix(1).lowercased() + text.dropFirst().dropLast()
  }

  private func report(_ plan: CapturePlan, _ writer: CoreFileWriter) {
    let console = Console.current
    if options.json {
      console.printJSON(
        CaptureReport(
          file: output, fdtAddresses: plan.surveys.compactMap { $0.address?.rawValue },
          storedBytes: writer.storedByteCount, memoryBytes: plan.existing.byteCount))
      return
    }
    let handovers = plan.surveys.count == 1 ? "1 handover" : "\(plan.surveys.count) handovers"
    console.print(
      "\(output): \(handovers), \(byteText(writer.storedByteCount)) of "
        + "\(byteText(plan.existing.byteCount)) of memory")
  }
}

/// What `kho capture --json` prints: schema `kho-capture/1`.
private struct CaptureReport: Encodable {
  let schema = "kho-capture/1"
  let file: String
  let fdtAddresses: [UInt64]
  /// How much memory is stored, and how much is described.
  let storedBytes: UInt64
  let memoryBytes: UInt64

  private enum CodingKeys: CodingKey { case schema, file, fdtAddresses, storedBytes, memoryBytes }
}
