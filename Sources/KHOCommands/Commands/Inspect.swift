internal import ArgumentParser
internal import KexecHandover

/// `kho inspect`: what each handover holds, in numbers.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what each handover in an image or a memory file holds.",
    discussion: """
      Shows the root device tree, the version, entries and bytes by order, the nodes that mark them, \
      the registered blobs, and what their records say: regions of reserve_mem, the kernel before, \
      sessions of the Live Update Orchestrator with their files, areas; of others, the first bytes. \
      A record that is malformed is a finding, and the others still are shown; likewise a handover.

      --checksums reads the files that sessions preserve, holes as zeros. A file that is far longer \
      than the image is not read.

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Flag(help: "Show where the pages of each preserved file lie.")
  var records = false

  @Flag(help: "Show the SHA-256 of the content of each preserved file.")
  var checksums = false

  func run() throws {
    let image = try options.load()
    let console = Console.current
    let progress = CommandProgress("read", of: nil)
    let records = image.surveys.map {
      RecordsOfHandover($0, in: image.memory, pageMaps: self.records, checksums: checksums) {
        progress.report($0)
      }
    }
    progress.end()
    if options.json {
      console.printJSON(InspectReport(image, records))
    } else {
      for line in image.memoryFile?.superblock.description ?? [] { console.print(line) }
      for (index, records) in records.enumerated() {
        if index > 0 { console.print() }
        for line in records.survey.description(records, findings: image.findings(of: records)) {
          console.print(line)
        }
      }
    }
    image.complainAboutOmissions()
    try image.requireWhole()
  }
}
