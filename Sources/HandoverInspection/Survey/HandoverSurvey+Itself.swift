import Handover

extension HandoverSurvey {
  /// Whether a finding says that the page of the root device tree is not among the entries.
  var missesItself: Bool {
    findings.contains { if case .deviceTreeNotPreserved = $0 { true } else { false } }
  }

  /// Whether the entries can be read, and one of them is the page of the root device tree.
  ///
  /// The kernel preserves that page. A copy of it elsewhere in memory, the page of a memory file, and a device
  /// tree that was replaced are not among the entries that they point to.
  var containsItself: Bool { error == nil && pages != nil && !missesItself }
}
