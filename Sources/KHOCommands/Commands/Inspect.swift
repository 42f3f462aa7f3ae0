internal import ArgumentParser
internal import KexecHandover

/// `kho inspect`: what each handover holds, in numbers.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows the content of each handover in an image or a memory file.",
    discussion: """
      Prints the root device tree, the version, entries and bytes by order, the nodes of the tree, the \
      registered blobs, and the content of their records: regions of reserve_mem, the metadata of kexec, \
      sessions of the Live Update Orchestrator with their files, named areas. Of unknown blobs, the first \
      bytes are printed. A malformed record is a finding; all other records are still printed.

      --checksums reads the files that sessions preserve, holes as zeros. A file that is far longer \
      than the image is not read.

      --format openmetrics prints numbers for a monitoring system: preserved bytes, entries, metadata, \
      owners, and findings by severity and code. The collector for text files of Prometheus reads it: \
      write to a file beside its folder, and rename that into the folder, with a name that ends in .prom.

      Examples:
        kho inspect vmcore
        kho inspect --json --checksums vmcore.zst
        kho inspect /dev/shm/service
        kho inspect --live
        kho inspect --format openmetrics vmcore

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Flag(help: "Show where the pages of each preserved file are.")
  var records = false

  @Flag(help: "Show the SHA-256 of the content of each preserved file.")
  var checksums = false

  @Flag(help: "Print JSON.")
  var json = false

  @Option(
    help: ArgumentHelp("text, json (as --json), or openmetrics.", valueName: "format"))
  var format: InspectFormat?

  func validate() throws {
    if json, let format, format != .json {
      throw ValidationError("--json and --format \(format.rawValue) ask for two formats; give one.")
    }
    if format == .openmetrics, records || checksums {
      throw ValidationError(
        "--records and --checksums are not numbers; openmetrics has none of them.")
    }
  }

  func run() throws {
    let image = try options.load()
    let console = Console.current
    if format == .openmetrics {
      console.write(HandoverMetrics(image).text)
      image.complainAboutOmissions()
      try image.requireWhole()
      return
    }
    if json || format == .json {
      printJSON(image, to: console)
    } else {
      printText(image, to: console)
    }
    image.complainAboutOmissions()
    try image.requireWhole()
  }

  private func printJSON(_ image: HandoverImage, to console: Console) {
    let progress = CommandProgress("read", of: nil)
    JSONDocument.writeInspect(
      image, pageMaps: records, checksums: checksums, progress: { progress.report($0) },
      to: { piece in
        console.write(piece)
        return console.isWritable
      })
    progress.end()
    console.print()
  }

  private func printText(_ image: HandoverImage, to console: Console) {
    let progress = CommandProgress("read", of: nil)
    let records = image.surveys.map {
      RecordsOfHandover($0, in: image.memory, pageMaps: self.records, checksums: checksums) {
        progress.report($0)
      }
    }
    progress.end()
    for line in image.memoryFile?.superblock.description ?? [] { console.print(line) }
    for (index, records) in records.enumerated() {
      if index > 0 { console.print() }
      for line in records.survey.description(records, findings: image.findings(of: records)) {
        console.print(line)
      }
    }
    for root in image.otherRoots { console.print(root.line) }
  }
}

/// What `kho inspect` prints.
enum InspectFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, openmetrics
}
