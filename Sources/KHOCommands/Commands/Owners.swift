internal import ArgumentParser
internal import KexecHandover

/// `kho owners`: who has the preserved memory.
struct Owners: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Accounts for each preserved byte: who registered it.",
    discussion: """
      The known records (memblock, kexec-metadata, kho_test, LUO and its memfds, areas under a name \
      of their own) are followed to the memory they refer to. Bytes of an entry that no record names \
      are attributed to the owner of the rest of it. Entries that no record refers to have no owner; in a \
      memory file, that is memory allocated without a name. What two claim is counted once, as the \
      first one's, and named. The nodes of the tree are no entries and are shown apart.

      CLAIMED is how much the records name; the rest of BYTES only comes with the entries.

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Flag(help: "Show each use of an owner: folios, records, chunks.")
  var uses = false

  func run() throws {
    let image = try options.load()
    let console = Console.current
    // The records may be read several times, so it is unknown how much there is to read.
    let progress = CommandProgress("read", of: nil)
    let memory = WatchedMemory(image.memory, progress)
    let reports = image.surveys.map { OwnersOfHandover($0, in: memory) }
    progress.end()
    if options.json {
      console.printJSON(OwnersReport(reports))
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
