public import Handover

/// What is wrong with one handover: with its structure, then with its records.
public struct HandoverVerdict: Sendable {
  /// The handover.
  public let survey: HandoverSurvey
  /// The findings that are kept.
  public let findings: [HandoverFinding]
  /// How many findings there were beyond those.
  public let omittedCount: UInt64
  /// The number of findings of severity error, those not kept included.
  public let errorCount: UInt64

  /// Checks the handover `survey` of `image`, and its records.
  ///
  /// - Complexity: O(bytes of the records · log leaves · orders in use).
  public init(on survey: HandoverSurvey, in image: HandoverImage) {
    let records = survey.checkRecords(in: image.memory)
    self.survey = survey
    findings = image.findings(of: survey) + records.findings.map { .record($0) }
    omittedCount = survey.omittedFindingCount &+ records.omittedCount
    errorCount = image.errorCount(of: survey) &+ records.errorCount
  }
}
