internal import KexecHandover

/// What a memory file says of itself: a part of the schema `kho-inspect/1`.
struct MemoryFileReport: Encodable {
  /// 32 hexadecimal digits.
  let identity: String
  let generation: UInt64
  let byteCount: UInt64
  let writerProcess: UInt64
  let writerIsRunning: Bool
  /// Whether the last writer was in the middle of a change.
  let changePending: Bool
  /// Whether another handover is being built beside this one.
  let buildingNext: Bool

  init(_ file: SuperblockContents) {
    identity = file.identity.text
    generation = file.state.generation
    byteCount = file.state.byteCount
    writerProcess = file.state.writer.processID
    writerIsRunning = file.state.writer.isRunning
    changePending = file.state.change != nil
    buildingNext = file.state.isBuildingNext
  }

  private enum CodingKeys: CodingKey {
    case identity, generation, byteCount, writerProcess, writerIsRunning, changePending
    case buildingNext
  }
}

extension MemoryFileIdentity {
  /// The number in hexadecimal.
  var text: String { digits(high) + digits(low) }

  private func digits(_ half: UInt64) -> String {
    let text = String(half, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}

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
