import Handover
import MemoryAccess
import Testing

/// Memory that goes through the stores of an operation, one after the other.
package struct CrashReplay {
  private let memory: RecordingMemory
  private let geometry: PageGeometry
  private let before: HandoverState
  private let anchor: RecordingAnchor.State
  /// How many states of memory were checked.
  package private(set) var prefixCount = 0

  /// A copy of the memory of `bench`, before the operation.
  package init(of bench: borrowing HandoverBench) throws {
    geometry = bench.geometry
    memory = try bench.memory.copy()
    before = try bench.survey().state
    anchor = RecordingAnchor.State(deviceTree: bench.anchor.deviceTree)
  }

  /// Checks memory as it is after each of `events`, and inside stores of several words where
  /// `isTorn` says so.
  package mutating func run(
    _ events: [StoreJournal.Event], after: HandoverState, isTorn: Bool
  ) throws {
    try check(after)
    for (index, event) in events.enumerated() {
      try withCombination("event", index) {
        switch event {
        case .stores(let changes):
          for start in stride(from: 0, to: changes.count, by: isTorn ? 1 : changes.count) {
            memory.base.apply(changes[start..<(isTorn ? start + 1 : changes.count)])
            try check(after)
          }
        case .begin(let change): anchor.pending = change
        case .switchDeviceTree(let deviceTree): anchor.deviceTree = deviceTree
        case .end: anchor.pending = nil
        }
        try check(after)
      }
    }
    try #require(anchor.pending == nil)
    try #require(try state() == after)
  }

  private func state() throws -> HandoverState {
    try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry).state
  }

  /// What a successor finds that comes now.
  private mutating func check(_ after: HandoverState) throws {
    prefixCount += 1
    let found = try SurveyedHandover(at: anchor.deviceTree, in: memory, geometry: geometry)
    guard let change = anchor.pending else {
      try #require(found.state == before || found.state == after)
      return
    }
    let copy = RecordingAnchor.State(deviceTree: anchor.deviceTree, pending: change)
    var completed: (state: HandoverState, deviceTree: PhysicalBlock)?
    let events = try memory.journal.recording {
      var handover = try OutgoingHandover.adopting(
        found, in: memory, anchor: RecordingAnchor(copy, journal: memory.journal))
      try handover.complete(change)
      let state = try SurveyedHandover(
        at: copy.deviceTree, in: memory, geometry: geometry
      ).state
      completed = (state, handover.deviceTree)
    }
    memory.base.undo(events)
    try #require(copy.pending == nil)
    // Begun is as good as done.
    try #require(completed?.state == after)
    try #require(completed?.deviceTree.address == after.deviceTree)
  }
}
