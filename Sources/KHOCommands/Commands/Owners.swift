internal import ArgumentParser
internal import KexecHandover

/// `kho owners`: who has the preserved memory.
struct Owners: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "owners",
    abstract: "Attributes each preserved byte to the record that refers to it.",
    discussion: """
      `owners` follows the known records (memblock, kexec-metadata, kho_test, LUO and its memfds, named \
      areas) to the memory that they refer to. Bytes of an entry that no record names are attributed to the \
      owner of the rest of the entry. An entry that no record refers to has no owner; in a memory file, it is \
      memory that was allocated without a name. Bytes that two owners claim are counted once, for the first, \
      and listed. The nodes of the tree are not entries; they are shown apart.

      CLAIMED is the number of bytes that the records name. BYTES also contains the rest of their entries.

      Examples:
        kho owners vmcore
        kho owners --uses --json vmcore
        kho owners /dev/shm/service

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Flag(help: "Show each use of an owner: folios, records, chunks.")
  var uses = false

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let image = try options.load()
    let console = Console.current
    // The records may be read several times, so it is unknown how much there is to read.
    let progress = CommandProgress("read", of: nil)
    let memory = WatchedMemory(image.memory) { progress.report($0) }
    let reports = image.surveys.map { OwnersOfHandover($0, in: memory) }
    progress.end()
    if json {
      console.printJSON(JSONDocument.owners(reports.map { ($0.survey, $0.accounts) }))
    } else {
      for (index, report) in reports.enumerated() {
        if index > 0 { console.print() }
        for line in report.description(showsUses: uses) { console.print(line) }
      }
    }
    image.complainAboutOmissions()
    try image.requireWhole()
  }
}
