public import Handover
import PreservedPages

/// What is wrong with the records of a handover, bounded kind by kind as a `FindingList` is.
public struct RecordFindingList: Sendable {
  /// The findings kept, in the order in which they were made.
  public private(set) var findings: [RecordFinding] = []
  /// The number of findings beyond `FindingList.limitPerKind` of a kind, which are not kept.
  public private(set) var omittedCount: UInt64 = 0
  /// The number of findings of severity error, including those that are not kept.
  public private(set) var errorCount: UInt64 = 0

  /// Its count is one more than the largest kind that was found.
  private var countByKind: [Int] = []

  /// No findings.
  public init() {}

  /// Adds a finding; beyond the limit of its kind it is only counted.
  public mutating func append(_ finding: RecordFinding) {
    if finding.severity == .error { errorCount &+= 1 }
    let kind = finding.kind
    while countByKind.count <= kind { countByKind.append(0) }
    guard countByKind[kind] < FindingList.limitPerKind else {
      omittedCount &+= 1
      return
    }
    countByKind[kind] += 1
    findings.append(finding)
  }
}
