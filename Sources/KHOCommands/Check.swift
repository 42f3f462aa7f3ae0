internal import ArgumentParser
internal import KexecHandover

/// `kho check`: what is wrong.
struct Check: ParsableCommand {
  static let unreadableStatus: Int32 = 3

  static let configuration = CommandConfiguration(
    abstract: "Says what is wrong with each handover in an image.",
    discussion: """
      Each finding has a code that never changes, a severity (error, warning, note), and the place.

      Exit status: 0 no errors, 1 findings of severity error, 2 the command line is wrong, 3 the \
      input cannot be read or holds no handover.
      """)

  @OptionGroup var options: ImageOptions

  func run() throws {
    let image: LoadedImage
    do throws(CommandFailure) {
      image = try options.load()
    } catch {
      throw CommandFailure(status: Self.unreadableStatus, sentence: error.sentence)
    }
    let console = Console.current
    if options.json {
      console.printJSON(CheckReport(image))
    } else {
      for survey in image.surveys { printFindings(of: survey, in: image) }
    }
    image.complainAboutOmissions()
    if image.surveys.contains(where: { $0.errorCount > 0 }) {
      throw CommandFailure(status: 1, sentence: nil)
    }
  }

  private func printFindings(of survey: HandoverSurvey, in image: LoadedImage) {
    let console = Console.current
    let findings = image.findings(of: survey)
    if findings.isEmpty { console.print("\(survey.title): nothing found") }
    for line in survey.findingLines(findings) { console.print("\(survey.title): \(line)") }
  }
}

/// What `kho check --json` prints: schema `kho-check/1`.
struct CheckReport: Encodable {
  let schema = "kho-check/1"
  let handovers: [CheckedHandover]

  init(_ image: LoadedImage) {
    handovers = image.surveys.map { survey in
      CheckedHandover(
        fdtAddress: survey.address?.rawValue, errorCount: survey.errorCount,
        findings: image.findings(of: survey).map(FindingReport.init),
        omittedFindings: survey.omittedFindingCount)
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
