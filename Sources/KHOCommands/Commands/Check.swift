internal import ArgumentParser
internal import KexecHandover

/// `kho check`: what is wrong.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Reports what is wrong with each handover in an image or a memory file.",
    discussion: """
      Each finding has a code that never changes, a severity (error, warning, note), and a place. `check` \
      follows the known records (memblock, kexec-metadata, kho_test, LUO and its memfds, named areas) to the \
      memory that they refer to, which must be preserved.

      A handover does not contain its scratch areas. An image of a kernel that received a handover names them: \
      in the setup data on x86-64, in /chosen of the device tree on arm64. With --live, `kho` reads them from \
      debugfs. For other images, give them with --scratch.

      The exit status is 1 if there is a finding of severity error, and 3 if a part of the image could not be \
      read, even if the rest has findings. \(ExitStatus.help)

      Examples:
        kho check vmcore
        kho check --scratch 0x78000000-0x80000000 vmcore
        kho check --json /dev/shm/service
        kho check --live
      """)

  @OptionGroup var options: ImageOptions

  @Option(
    help: ArgumentHelp(
      "A scratch area, from A up to but not including B. Can be given several times.",
      valueName: "a-b"))
  var scratch: [AddressFilter] = []

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    var imageOptions = options.imageOptions
    imageOptions.scratch = scratch.map(\.range)
    let image = try HandoverImage.load(options.source, imageOptions)
    let verdicts = image.surveys.map { HandoverVerdict(on: $0, in: image) }
    if json {
      Console.current.printJSON(JSONDocument.check(verdicts))
    } else {
      for verdict in verdicts { verdict.printFindings(isWhole: !image.isIncomplete) }
    }
    image.complainAboutOmissions()
    if image.omittedHandoverCount > 0 {
      throw CommandFailure(status: .inputFailed, sentence: nil)
    }
    try image.requireUndamaged()
    if verdicts.contains(where: { $0.errorCount > 0 }) { throw CommandFailure.findings() }
  }
}

extension HandoverVerdict {
  func printFindings(isWhole: Bool) {
    let console = Console.current
    if findings.isEmpty {
      let place = isWhole ? "" : " in the part of the image that can be read"
      console.print("\(survey.title): nothing found\(place)")
    }
    for line in findingLines(findings, omittedCount: omittedCount) {
      console.print("\(survey.title): \(line)")
    }
  }
}
