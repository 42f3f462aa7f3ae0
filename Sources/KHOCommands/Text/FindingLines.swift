internal import KexecHandover

/// `findings` for people: one line each, but of one code only the first few, since a page of foreign
/// bytes read as a node gives hundreds that say the same. `omittedCount` more were never listed.
func findingLines(_ findings: [HandoverFinding], omittedCount: UInt64) -> [String] {
  let shownPerCode = 4
  var countByCode: [String: Int] = [:]
  var lines: [String] = []
  var hiddenCount = omittedCount
  for finding in findings {
    countByCode[finding.code, default: 0] += 1
    if countByCode[finding.code, default: 0] <= shownPerCode {
      lines.append(finding.line)
    } else {
      hiddenCount += 1
    }
  }
  if hiddenCount > 0 { lines.append("and \(hiddenCount) more like these; see --json") }
  return lines
}
