public import Handover
import PreservedPages

/// What is wrong with the records of a handover, bounded kind by kind as a `FindingList` is.
public struct RecordFindingList: Sendable {
  /// The findings kept, in the order in which they were made.
  public private(set) var findings: [RecordFinding] = []
  /// How many more there were beyond `FindingList.limitPerKind`.
  public private(set) var omittedCount: UInt64 = 0
  /// How many findings of severity error there were, those not kept included.
  public private(set) var errorCount: UInt64 = 0

  /// Grows up to the largest number of a kind that was found.
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
