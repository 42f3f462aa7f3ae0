internal import ArgumentParser
internal import KexecHandover

/// `kho inspect`: what each handover holds, in numbers.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what each handover in an image or a memory file holds.",
    discussion: """
      Shows the root device tree, the version, entries and bytes by order, the nodes that mark them, \
      and the registered blobs. A handover that cannot be read is shown with the reason, and the \
      others still are.

      Exit status: 0 at least one handover was read, 1 none was, 2 the command line is wrong.
      """)

  @OptionGroup var options: ImageOptions

  func run() throws {
    let image = try options.load()
    let console = Console.current
    if options.json {
      console.printJSON(InspectReport(image))
    } else {
      for line in image.memoryFile?.superblock.description ?? [] { console.print(line) }
      for (index, survey) in image.surveys.enumerated() {
        if index > 0 { console.print() }
        for line in survey.description(findings: image.findings(of: survey)) {
          console.print(line)
        }
      }
    }
    image.complainAboutOmissions()
    let failures = image.surveys.compactMap(\.error)
    if failures.count == image.surveys.count, let failure = failures.first {
      throw CommandFailure.badInput("\(image.path): \(failure.sentence)")
    }
  }
}
