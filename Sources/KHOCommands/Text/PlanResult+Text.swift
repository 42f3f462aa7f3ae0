internal import KexecHandover

extension PlanResult {
  /// The plan for people, line by line.
  var description: [String] {
    var parts: [[String]] = []
    if let workload { parts.append(workload.description) }
    parts.append(basis)
    if let current { parts.append(current.description(of: machine)) }
    if let machine, let scratch { parts.append(scratch.description(of: machine)) }
    parts.append(timeLines)
    return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  private var timeLines: [String] {
    guard let calibration else { return [] }
    var lines = [
      "measured on this machine: \(nanoText(calibration.picosecondsPerNode)) a node, "
        + "\(nanoText(calibration.picosecondsPerRun)) a run of blocks"
    ]
    if let walkNanoseconds {
      lines.append("a walk over the tree takes about \(timeText(nanoseconds: walkNanoseconds))")
    }
    return lines
  }
}

extension PlannedWorkload {
  fileprivate var description: [String] {
    var lines: [String] = []
    let orders = counts.map { "\($0.count) of order \($0.order)" }.joined(separator: ", ")
    let title =
      image.map { "\(printable(path: $0.name)), \($0.survey.title)" }
      ?? "a model with fragmentation \(decimalText(fragmentation ?? 0))"
    lines.append("\(title): \(byteText(preservedByteCount)) in blocks: \(orders)")
    var table = TextTable([.left, .right, .left])
    let counts = footprint.nodesByLevel
    table.add([
      "tree (kho-v3, kho-v4)", byteText(footprint.treeByteCount),
      "\(countText(counts.reduce(0, +), "node")), by level from the leaves up: "
        + counts.map(String.init).joined(separator: ", "),
    ])
    for (name, size) in [
      ("chunk list (6.18, 6.19)", footprint.pageBitmaps),
      ("chunk list (6.16, 6.17)", footprint.smallBitmaps),
    ] {
      table.add([
        name, byteText(size.byteCount(in: footprint.geometry)),
        "\(countText(size.bitmapCount, "bitmap")) of \(byteText(size.bitmapByteCount)) in "
          + countText(size.chunkCount, "chunk"),
      ])
    }
    table.add([
      "list of ranges", byteText(footprint.rangeListByteCount),
      "\(countText(footprint.rangeCount, "range")) of \(byteText(MetadataFootprint.bytesPerRange))",
    ])
    lines += table.lines(indent: "  ")
    lines.append(
      "  the tree is not larger than a list of ranges from \(footprint.crossoverRangeCount) ranges on"
        + crossoverText)
    if let nodesInImage, nodesInImage != counts {
      lines.append(
        "  the image holds \(countText(nodesInImage.reduce(0, +), "node")): by level "
          + nodesInImage.map(String.init).joined(separator: ", ")
          + "; Linux keeps nodes that are empty")
    }
    return lines
  }

  private var crossoverText: String {
    guard fragmentation != nil else { return "" }
    guard let crossover else { return ", which these blocks never are" }
    return ": with fragmentation \(decimalText(crossover)) or more"
  }
}

extension PlannedScratch {
  fileprivate func description(of machine: MachineModel) -> [String] {
    var lines: [String] = []
    if let requested {
      let title =
        isStandard
        ? "scratch areas that Linux makes by itself (200%)" : "scratch areas as asked for"
      lines += requested.description(title, machine)
    }
    if let (advice, areas) = recommended {
      if !lines.isEmpty { lines.append("") }
      lines += areas.description("recommended: \(advice.option)", machine)
      lines += advice.reasons.map { "  because \($0)" }
    } else if requested != nil {
      lines.append(
        "  no recommendation: it depends on what boot reserves: give --dmesg or --boot-memory"
      )
    }
    return lines
  }
}

extension CurrentScratch {
  fileprivate func description(of machine: MachineModel?) -> [String] {
    var table = TextTable([.left, .right, .left])
    for area in areas {
      let range = area.address.map { "\(PhysicalRange(start: $0, byteCount: area.byteCount))" }
      table.add([area.name, byteText(area.byteCount), range ?? ""])
    }
    return ["scratch areas of the running kernel"] + table.lines(indent: "  ") + [
      "  in all \(byteText(byteCount))" + shareText(byteCount, of: machine)
    ]
  }
}

/// `, 2.50 % of memory`, or nothing where the memory is not known.
private func shareText(_ byteCount: UInt64, of machine: MachineModel?) -> String {
  guard let machine else { return "" }
  let hundredths = byteCount / max(machine.memoryByteCount / 10_000, 1)
  return ", \(hundredths / 100).\(twoDigits(hundredths % 100)) % of memory"
}

extension ScratchAreas {
  fileprivate func description(_ title: String, _ machine: MachineModel) -> [String] {
    var table = TextTable([.left, .right, .left])
    for (name, range) in named {
      table.add([name, byteText(range.byteCount), "\(range)"])
    }
    return [title] + table.lines(indent: "  ") + [
      "  in all \(byteText(byteCount))\(shareText(byteCount, of: machine)), "
        + "which the system may lend only to what can be moved: nothing pinned, nothing preserved"
    ]
  }
}

private func twoDigits(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }

/// A number from 0 to 1 to a millionth, without trailing zeros.
private func decimalText(_ value: Double) -> String {
  let millionths = millionths(value)
  if millionths == 1_000_000 { return "1" }
  var digits = String(millionths)
  digits = String(repeating: "0", count: 6 - digits.count) + digits
  while digits.last == "0" { digits.removeLast() }
  return digits.isEmpty ? "0" : "0.\(digits)"
}

private func nanoText(_ picoseconds: UInt64) -> String {
  "\(picoseconds / 1000).\(twoDigits(picoseconds % 1000 / 10)) ns"
}

/// A time for people: `850 ns`, `12.3 µs`, `4.05 ms`, `1.50 s`.
private func timeText(nanoseconds: UInt64) -> String {
  if nanoseconds < 1000 { return "\(nanoseconds) ns" }
  var (value, unit) = (nanoseconds, 0)
  while value >= 1_000_000, unit < 2 {
    value /= 1000
    unit += 1
  }
  return "\(value / 1000).\(twoDigits(value % 1000 / 10)) \(["µs", "ms", "s"][unit])"
}
