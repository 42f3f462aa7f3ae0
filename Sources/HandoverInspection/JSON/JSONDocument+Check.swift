import Handover
import PreservedPages

extension JSONDocument {
  /// What is wrong with each handover: schema `kho-check/2`.
  public static func check(_ verdicts: [HandoverVerdict]) -> JSONValue {
    make(
      "kho-check/2",
      [
        "handovers": verdicts.map { verdict in
          JSONValue([
            "fdtAddress": verdict.survey.address, "errorCount": verdict.errorCount,
            "findings": verdict.findings.map { $0.json },
            "omittedFindingCount": verdict.omittedCount,
          ])
        }
      ])
  }
}

extension HandoverFinding {
  /// The finding in reports: a code that never changes, how severe it is, where it is, and a sentence.
  var json: JSONValue {
    JSONValue([
      "code": code, "severity": severity.name, "address": place, "level": level,
      "message": sentence,
    ])
  }
}
