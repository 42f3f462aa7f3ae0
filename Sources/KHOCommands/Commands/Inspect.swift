internal import ArgumentParser
internal import KexecHandover

/// `kho inspect`: what each handover holds, in numbers.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the content of each handover in an image or a memory file.",
    discussion: """
      Prints the root device tree, the version, entries and bytes by order, the nodes of the tree, the \
      registered blobs, and the content of their records: regions of reserve_mem, the metadata of kexec, \
      sessions of the Live Update Orchestrator with their files, named areas. Of unknown blobs, the first \
      bytes are printed. A malformed record is a finding; all other records are still printed.

      --checksums reads the files that sessions preserve, holes as zeros. A file that is far longer \
      than the image is not read.

      Examples:
        kho inspect vmcore
        kho inspect --json --checksums vmcore.zst
        kho inspect /dev/shm/service
        kho inspect --live

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Flag(help: "Show where the pages of each preserved file are.")
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
