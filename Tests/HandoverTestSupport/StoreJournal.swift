package import Handover
package import MemoryAccess
package import MemoryImages

/// Everything that was stored, in order, so that a test can make memory as it was after any store.
///
/// For one thread; a test that records does nothing beside it.
package final class StoreJournal {
  /// A word before and after a store.
  package struct WordChange: Sendable {
    package let address: UInt64
    package let old: UInt64
    package let new: UInt64
  }

  /// What happened.
  package enum Event: Sendable {
    /// The words that one call changed, by address.
    case stores([WordChange])
    /// The anchor recorded a change.
    case begin(HandoverChange)
    /// The anchor's pointer was switched.
    case switchDeviceTree(PhysicalAddress)
    /// The anchor's change ended.
    case end
  }

  /// Whether stores are recorded.
  package var isRecording = false
  /// What was recorded.
  package private(set) var events: [Event] = []

  /// A journal that records nothing yet.
  package init() {}

  /// Adds an event, where recording is on.
  package func record(_ event: Event) {
    if isRecording { events.append(event) }
  }

  /// Records what `body` does, and gives it.
  package func recording<Failure: Error>(
    _ body: () throws(Failure) -> Void
  ) throws(Failure) -> [Event] {
    precondition(!isRecording, "a journal that records already")
    events = []
    isRecording = true
    defer { isRecording = false }
    try body()
    return events
  }
}

/// Memory whose stores are recorded: each call that changes words is one event.
package struct RecordingMemory: WritablePhysicalMemory {
  /// The memory.
  package let base: AnonymousMemory
  /// Where stores are recorded.
  package let journal: StoreJournal
  /// Memory that is not part of what is tested, such as an allocator's books.
  package let ignored: PhysicalRange

  /// The memory of `base`.
  package init(
    _ base: AnonymousMemory, journal: StoreJournal = StoreJournal(),
    ignoring ignored: PhysicalRange = PhysicalRange(start: .zero, byteCount: 0)
  ) {
    self.base = base
    self.journal = journal
    self.ignored = ignored
  }

  package func contains(_ range: PhysicalRange) -> Bool { base.contains(range) }

  package var byteCount: UInt64 { base.byteCount }

  package func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    base.storedRange(atOrAfter: address)
  }

  package func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    try base.withBytes(in: range, body)
  }

  package func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let range = PhysicalRange(start: address, byteCount: UInt64(count) * 8)
    let before = wordsBefore(range)
    defer { recordChanges(since: before, in: range) }
    return try base.withWords(at: address, count: count, body)
  }

  package func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Whole words: memory begins and ends with them.
    let start = range.start.rawValue & ~7
    let end = (range.start.rawValue + range.byteCount + 7) & ~7
    let words = PhysicalRange(start: PhysicalAddress(start), byteCount: end - start)
    let before = wordsBefore(words)
    defer { recordChanges(since: before, in: words) }
    return try base.withMutableBytes(in: range, body)
  }

  /// Memory of its own with the same words.
  package func copy() throws -> RecordingMemory {
    let copy = RecordingMemory(try AnonymousMemory(base.range), ignoring: ignored)
    let words = base.snapshot(of: base.range)
    copy.base.withWords(at: base.range.start, count: words.count) { target in
      for index in words.indices where words[index] != 0 {
        target.publish(words[index], at: index)
      }
    }
    return copy
  }

  private func wordsBefore(_ range: PhysicalRange) -> [UInt64]? {
    guard journal.isRecording, !range.overlaps(ignored) else { return nil }
    return base.snapshot(of: range)
  }

  private func recordChanges(since before: [UInt64]?, in range: PhysicalRange) {
    guard let before else { return }
    let after = base.snapshot(of: range)
    if before == after { return }
    var changes: [StoreJournal.WordChange] = []
    for index in before.indices where before[index] != after[index] {
      changes.append(
        StoreJournal.WordChange(
          address: range.start.rawValue + UInt64(index) * 8, old: before[index],
          new: after[index]))
    }
    journal.record(.stores(changes))
  }
}

extension WritablePhysicalMemory {
  /// Stores the words of `changes` as they were after them.
  package func apply(_ changes: some Sequence<StoreJournal.WordChange>) {
    for change in changes { setWord(change.new, at: change.address) }
  }

  /// Undoes the stores of `events`, the last one first.
  package func undo(_ events: [StoreJournal.Event]) {
    for case .stores(let changes) in events.reversed() {
      for change in changes.reversed() { setWord(change.old, at: change.address) }
    }
  }
}

/// An anchor beside the memory, which records changes as a memory file does.
package struct RecordingAnchor: HandoverAnchor {
  /// What the anchor holds; shared by its copies.
  package final class State {
    /// Where the root device tree is.
    package var deviceTree: PhysicalAddress
    /// The change that was begun and not ended.
    package var pending: HandoverChange?

    /// An anchor that points to `deviceTree`.
    package init(deviceTree: PhysicalAddress = .zero, pending: HandoverChange? = nil) {
      self.deviceTree = deviceTree
      self.pending = pending
    }
  }

  /// What it holds.
  package let state: State
  private let journal: StoreJournal

  /// An anchor of that state.
  package init(_ state: State, journal: StoreJournal) {
    self.state = state
    self.journal = journal
  }

  package var deviceTree: PhysicalAddress { state.deviceTree }

  package mutating func begin(_ change: HandoverChange) {
    precondition(state.pending == nil, "a change inside another")
    state.pending = change
    journal.record(.begin(change))
  }

  package mutating func switchDeviceTree(to deviceTree: PhysicalAddress) {
    state.deviceTree = deviceTree
    journal.record(.switchDeviceTree(deviceTree))
  }

  package mutating func end() {
    precondition(state.pending != nil, "the end of a change that was not begun")
    state.pending = nil
    journal.record(.end)
  }
}
