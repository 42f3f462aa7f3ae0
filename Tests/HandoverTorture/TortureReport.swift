import KHOCommands
import KexecHandover

/// What a run of torture found.
struct TortureReport {
  let tally: TortureTally
  let seed: UInt64
  let memoryByteCount: UInt64
  let milliseconds: UInt64
  let comparedByteCount: UInt64
  /// What went wrong; nil where nothing did.
  let failure: String?

  /// What `kho-torture --json` prints: schema `kho-torture/2`.
  var json: JSONValue {
    JSONDocument.make(
      "kho-torture/2",
      [
        "seed": seed, "memoryBytes": memoryByteCount, "milliseconds": milliseconds,
        "killCount": tally.killCount, "fileCount": tally.fileCount,
        "operationCount": tally.operationCount, "refusedCount": tally.refusedCount,
        "comparedBytes": comparedByteCount, "completedChangeCount": tally.completedChangeCount,
        "freedAllocationCount": tally.freedAllocationCount, "betweenCount": tally.betweenCount,
        "inside": tally.rows.map { row in
          JSONValue([
            "operation": row.title, "beforeCount": row.counts[TortureLanding.before.rawValue],
            "recordedCount": row.counts[TortureLanding.recorded.rawValue],
            "switchedCount": row.counts[TortureLanding.switched.rawValue],
            "insideCount": row.counts[TortureLanding.inside.rawValue],
            "afterCount": row.counts[TortureLanding.after.rawValue],
          ])
        }, "error": failure,
      ])
  }

  /// The report for people, line by line.
  var lines: [String] {
    let time = "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    var lines = [
      "\(countText(tally.killCount, "process was", "processes were")) killed in \(time), seed \(seed)",
      "",
    ]
    lines += table.lines(indent: "  ")
    lines += [
      "",
      "  before    nothing of the operation is seen: the state is the one before it",
      "  recorded  the change is in the superblock, and the old device tree counts",
      "  switched  the new device tree counts, and the change is not complete",
      "  inside    in what takes no effect at one instant: words that are rewritten, storage that is",
      "            given back, a handover that is built beside the one that counts",
      "  after     all of the operation is seen; the process had not heard of it",
      "",
      "\(countText(tally.operationCount, "operation")), \(tally.refusedCount) of them refused because the memory was full; "
        + "\(countText(tally.fileCount, "memory file"))",
      "\(countText(tally.completedChangeCount, "change")) half made, and completed by the successor; "
        + "\(countText(tally.freedAllocationCount, "allocation")) that were not recorded, and freed",
      "\(byteText(comparedByteCount)) compared with the journal after the kills",
    ]
    if failure == nil { lines.append("nothing lost, nothing torn, nothing leaked") }
    return lines
  }

  private var table: TextTable {
    var table = TextTable([.left, .right, .right, .right, .right, .right, .right])
    table.add(["KILLED IN", "KILLS"] + TortureLanding.allCases.map { $0.title.uppercased() })
    var sums = [UInt64](repeating: 0, count: 5)
    for (title, counts) in tally.rows {
      for (index, count) in counts.enumerated() { sums[index] += count }
      table.add([title] + ([counts.reduce(0, +)] + counts).map { $0 == 0 ? "·" : "\($0)" })
    }
    table.add(["between operations", "\(tally.betweenCount)"])
    table.add(["all", "\(tally.killCount)"] + sums.map(String.init))
    return table
  }
}
