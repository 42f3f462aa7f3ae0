internal import KexecHandover

/// A finding as it is shown: a stable code, how much it matters, where, and a sentence.
///
/// A part of the schemas `kho-inspect/1` and `kho-check/1`.
struct FindingReport: Encodable, Equatable {
  let code: String
  let severity: String
  /// The place in memory that is wrong; nil where it is no place.
  let address: UInt64?
  /// The level of the node that is wrong; nil where none is.
  let level: Int?
  let message: String

  init(_ finding: HandoverFinding) {
    code = finding.code
    severity = finding.severity.name
    address = finding.place?.rawValue
    level = finding.level
    message = finding.sentence
  }

  private enum CodingKeys: CodingKey { case code, severity, address, level, message }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(code, forKey: .code)
    try container.encode(severity, forKey: .severity)
    try container.encode(address, forKey: .address)
    try container.encode(level, forKey: .level)
    try container.encode(message, forKey: .message)
  }

  /// The finding on one line.
  var line: String { "\(severity) \(code): \(message)" }
}

extension FindingSeverity {
  /// The word that stands for it in every output.
  var name: String {
    switch self {
    case .note: "note"
    case .warning: "warning"
    case .error: "error"
    }
  }
}

/// `findings` for people: one line each, but of one code only the first few, since a page of foreign
/// bytes read as a node gives hundreds that say the same. `omittedCount` more were never listed.
func findingLines(_ findings: [HandoverFinding], omittedCount: UInt64) -> [String] {
  let shownPerCode = 4
  var countByCode: [String: Int] = [:]
  var lines: [String] = []
  var hiddenCount = omittedCount
  for finding in findings {
    let report = FindingReport(finding)
    countByCode[report.code, default: 0] += 1
    if countByCode[report.code, default: 0] <= shownPerCode {
      lines.append(report.line)
    } else {
      hiddenCount += 1
    }
  }
  if hiddenCount > 0 { lines.append("and \(hiddenCount) more like these; see --json") }
  return lines
}
