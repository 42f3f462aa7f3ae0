internal import ArgumentParser
internal import KexecHandover

/// `kho check`: what is wrong.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reports what is wrong with each handover in an image or a memory file.",
    discussion: """
      Each finding has a code that never changes, a severity (error, warning, note), and a place. `check` \
      follows the known records (memblock, kexec-metadata, kho_test, LUO and its memfds, named areas) to the \
      memory that they refer to, which must be preserved.

      A handover does not contain its scratch areas. Give them with --scratch; with --live, `kho` reads them \
      from debugfs.

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

  func run() throws {
    var imageOptions = options.imageOptions
    imageOptions.scratch = scratch.map(\.range)
    let image = try HandoverImage.load(options.source, imageOptions)
    let verdicts = image.surveys.map { Verdict(on: $0, in: image) }
    if options.json {
      Console.current.printJSON(CheckReport(verdicts))
    } else {
      for verdict in verdicts { verdict.printFindings() }
    }
    image.complainAboutOmissions()
    if image.omittedHandoverCount > 0 {
      throw CommandFailure(status: .inputFailed, sentence: nil)
    }
    try image.requireUndamaged()
    if verdicts.contains(where: { $0.errorCount > 0 }) { throw CommandFailure.findings() }
  }
}

/// What is wrong with one handover: with its structure, then with its records.
struct Verdict {
  let survey: HandoverSurvey
  let findings: [HandoverFinding]
  let omittedCount: UInt64
  let errorCount: UInt64

  init(on survey: HandoverSurvey, in image: HandoverImage) {
    let records = survey.checkRecords(in: image.memory)
    self.survey = survey
    findings = image.findings(of: survey) + records.findings.map { .record($0) }
    omittedCount = survey.omittedFindingCount &+ records.omittedCount
    errorCount = image.errorCount(of: survey) &+ records.errorCount
  }

  func printFindings() {
    let console = Console.current
    if findings.isEmpty { console.print("\(survey.title): nothing found") }
    for line in findingLines(findings, omittedCount: omittedCount) {
      console.print("\(survey.title): \(line)")
    }
  }
}

/// What `kho check --json` prints: schema `kho-check/1`.
struct CheckReport: Encodable {
  let schema = "kho-check/1"
  let handovers: [CheckedHandover]

  init(_ verdicts: [Verdict]) {
    handovers = verdicts.map { verdict in
      CheckedHandover(
        fdtAddress: verdict.survey.address?.rawValue, errorCount: verdict.errorCount,
        findings: verdict.findings.map(FindingReport.init), omittedFindings: verdict.omittedCount)
    }
  }

  private enum CodingKeys: CodingKey { case schema, handovers }
}

/// What is wrong with one handover.
struct CheckedHandover: Encodable {
  let fdtAddress: UInt64?
  /// How many findings of severity error there are, those not listed included.
  let errorCount: UInt64
  let findings: [FindingReport]
  /// How many findings there were beyond those listed.
  let omittedFindings: UInt64

  private enum CodingKeys: CodingKey { case fdtAddress, errorCount, findings, omittedFindings }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(fdtAddress, forKey: .fdtAddress)
    try container.encode(errorCount, forKey: .errorCount)
    try container.encode(findings, forKey: .findings)
    try container.encode(omittedFindings, forKey: .omittedFindings)
  }
}
