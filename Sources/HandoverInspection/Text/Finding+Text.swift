public import Handover
import PreservedPages

extension FindingSeverity {
  /// The word for the severity in every output.
  package var name: String {
    switch self {
    case .note: "note"
    case .warning: "warning"
    case .error: "error"
    }
  }
}

extension HandoverFinding {
  /// The finding on one line: its severity, its code, and what was found where.
  public var line: String { "\(severity.name) \(code): \(sentence)" }
}
