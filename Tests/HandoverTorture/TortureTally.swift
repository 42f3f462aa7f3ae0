/// Where a kill landed.
enum TortureLanding: Int, CaseIterable {
  /// Nothing of the operation could be seen: it is as if it had never begun.
  case before
  /// The change was recorded in the superblock, and the old device tree counted still.
  case recorded
  /// The new device tree counted, and the change was still recorded.
  case switched
  /// In an operation without one instant at which it takes effect.
  case inside
  /// All of the operation could be seen, and its caller had not heard of it.
  case after

  var title: String {
    switch self {
    case .before: "before"
    case .recorded: "recorded"
    case .switched: "switched"
    case .inside: "inside"
    case .after: "after"
    }
  }
}

/// What torture counts.
struct TortureTally {
  /// Kills, those between two operations included.
  private(set) var killCount: UInt64 = 0
  private(set) var betweenCount: UInt64 = 0
  private(set) var rows: [(title: String, counts: [UInt64])]

  /// Operations that the processes completed, and how many of them were refused.
  var operationCount: UInt64 = 0
  var refusedCount: UInt64 = 0
  /// Memory files that were made.
  var fileCount: UInt64 = 0
  /// Changes that were recorded when the process was killed, and that the successor completed.
  var completedChangeCount: UInt64 = 0
  /// Allocations whose address no process had learned, and that the successor freed.
  var freedAllocationCount: UInt64 = 0

  static let takeoverTitle = "take-over"

  init() {
    let titles =
      TortureOperation.allCases.filter { $0 != .exists }.map(\.title) + [Self.takeoverTitle]
    rows = titles.map { ($0, [UInt64](repeating: 0, count: TortureLanding.allCases.count)) }
  }

  mutating func countBetween() {
    killCount += 1
    betweenCount += 1
  }

  mutating func count(_ landing: TortureLanding, in title: String) {
    killCount += 1
    guard let row = rows.firstIndex(where: { $0.title == title }) else { return }
    rows[row].counts[landing.rawValue] += 1
  }

  /// How many kills landed inside an operation, wherever in it.
  var insideCount: UInt64 { killCount - betweenCount }

  /// How many kills of all operations landed there.
  func total(_ landing: TortureLanding) -> UInt64 {
    rows.reduce(0) { $0 + $1.counts[landing.rawValue] }
  }
}
