internal import KexecHandover

extension SuperblockContents {
  /// The memory file for people, line by line.
  var description: [String] {
    let writer = state.writer
    var lines = [
      "memory file \(identity.text)",
      "  generation \(state.generation), \(byteText(state.byteCount)) of memory, last writer process "
        + "\(writer.processID) (\(writer.isRunning ? "running" : "ended"))",
    ]
    if state.change != nil {
      lines.append(
        writer.isRunning
          ? "  a change is being made right now"
          : "  the last writer ended in the middle of a change, which the next one completes")
    }
    if state.isBuildingNext {
      lines.append("  another handover is being built, which will take the place of the first")
    }
    return lines
  }
}
