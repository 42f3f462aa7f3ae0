import KHOCommands
import KexecHandover

/// What `kho-torture --json` prints: schema `kho-torture/1`.
struct TortureReport: Encodable {
  let schema: String
  let seed: UInt64
  let memoryBytes: UInt64
  let kills: UInt64
  let milliseconds: UInt64
  let files: UInt64
  let operations: UInt64
  let refused: UInt64
  let comparedBytes: UInt64
  let completedChanges: UInt64
  let freedAllocations: UInt64
  /// Kills between two operations.
  let between: UInt64
  let inside: [TortureLandingReport]
  /// What went wrong; null where nothing did.
  let failure: String?
}

/// Where the kills inside one operation landed.
struct TortureLandingReport: Encodable {
  let operation: String
  let before: UInt64
  let recorded: UInt64
  let switched: UInt64
  let inside: UInt64
  let after: UInt64

  init(_ title: String, _ counts: [UInt64]) {
    operation = title
    before = counts[TortureLanding.before.rawValue]
    recorded = counts[TortureLanding.recorded.rawValue]
    switched = counts[TortureLanding.switched.rawValue]
    inside = counts[TortureLanding.inside.rawValue]
    after = counts[TortureLanding.after.rawValue]
  }
}

extension TortureReport {
  init(
    _ tally: TortureTally, seed: UInt64, memoryBytes: UInt64, milliseconds: UInt64,
    comparedBytes: UInt64, failure: String?
  ) {
    self.init(
      schema: "kho-torture/1", seed: seed, memoryBytes: memoryBytes, kills: tally.killCount,
      milliseconds: milliseconds,
      files: tally.fileCount, operations: tally.operationCount, refused: tally.refusedCount,
      comparedBytes: comparedBytes, completedChanges: tally.completedChangeCount,
      freedAllocations: tally.freedAllocationCount, between: tally.betweenCount,
      inside: tally.rows.map { TortureLandingReport($0.title, $0.counts) }, failure: failure)
  }

  /// The report for people, line by line.
  var lines: [String] {
    let time = "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    var lines = [
      "\(countText(kills, "process was", "processes were")) killed in \(time), seed \(seed)",
      "",
    ]
    lines += table.lines(indent: "  ")
    lines += [
      "",
      "  before    nothing of the operation is seen: the state is the one before it",
      "  recorded  the change stands in the superblock, and the old device tree counts",
      "  switched  the new device tree counts, and the change is not complete",
      "  inside    in what takes no effect at one instant: words that are rewritten, storage that is",
      "            given back, a handover that is built beside the one that counts",
      "  after     all of the operation is seen; the process had not heard of it",
      "",
      "\(countText(operations, "operation")), \(refused) of them refused because the memory was full; "
        + "\(countText(files, "memory file"))",
      "\(countText(completedChanges, "change")) half made, and completed by the successor; "
        + "\(countText(freedAllocations, "allocation")) that were not recorded, and freed",
      "\(byteText(comparedBytes)) compared with the journal after the kills",
    ]
    if failure == nil { lines.append("nothing lost, nothing torn, nothing leaked") }
    return lines
  }

  private var table: TextTable {
    var table = TextTable([.left, .right, .right, .right, .right, .right, .right])
    table.add(["KILLED IN", "KILLS"] + TortureLanding.allCases.map { $0.title.uppercased() })
    var sums = [UInt64](repeating: 0, count: 5)
    for row in inside {
      let counts = [row.before, row.recorded, row.switched, row.inside, row.after]
      for (index, count) in counts.enumerated() { sums[index] += count }
      table.add([row.operation] + ([counts.reduce(0, +)] + counts).map { $0 == 0 ? "·" : "\($0)" })
    }
    table.add(["between operations", "\(between)"])
    table.add(["all", "\(kills)"] + sums.map(String.init))
    return table
  }
}
