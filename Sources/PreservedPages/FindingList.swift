/// Findings, bounded kind by kind: a page of foreign bytes read as a leaf gives thousands, and all
/// but the first few say the same.
public struct FindingList: Sendable {
  /// How many findings of a kind are kept.
  public static var limitPerKind: Int { 32 }

  /// The findings kept, in the order in which they were made.
  public private(set) var findings: [PreservedPagesFinding] = []
  /// How many more there were beyond the limits.
  public private(set) var omittedCount: UInt64 = 0
  /// Whether any finding, kept or not, means that entries are missing.
  public private(set) var hidesEntries = false
  /// How much the worst finding matters; nil without findings.
  public private(set) var worst: FindingSeverity?
  /// How many findings of severity error there were, those not kept included.
  public private(set) var errorCount: UInt64 = 0

  private var countByKind = [Int](repeating: 0, count: PreservedPagesFinding.kindCount)

  /// No findings.
  public init() {}

  /// Adds a finding; beyond the limit of its kind it is only counted.
  public mutating func append(_ finding: PreservedPagesFinding) {
    let severity = finding.severity
    worst = worst.map { max($0, severity) } ?? severity
    hidesEntries = hidesEntries || finding.hidesEntries
    if severity == .error { errorCount &+= 1 }
    countByKind[finding.kind] += 1
    if countByKind[finding.kind] <= Self.limitPerKind {
      findings.append(finding)
    } else {
      omittedCount &+= 1
    }
  }
}
