internal import KexecHandover

extension HandoverImage.OtherRoot {
  /// What it is, for people.
  var line: String {
    switch kind {
    case .memoryFile:
      "root device tree at \(address): of a memory file of a process, not a handover of this machine"
    case .copy(let original):
      "root device tree at \(address): a copy of the one at \(original), as in a capture"
    case .superseded(let original):
      "root device tree at \(address): an earlier one of the handover at \(original)"
    }
  }
}
