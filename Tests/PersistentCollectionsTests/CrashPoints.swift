import HandoverTestSupport
import KexecHandover
import PersistentCollections

/// Memory, and what is allocated of it, as they were after each store of an operation.
struct CrashPoints {
  let memory: RecordingMemory
  let books: PieceBooks
  /// How many there were.
  private(set) var count = 0

  /// Memory as it is before the operation.
  init(_ memory: RecordingMemory, _ books: PieceBooks) {
    self.memory = memory
    self.books = books
  }

  /// Calls `body` before the first store, after each one, and before and after each piece is allocated
  /// or freed. Whatever `body` does to the memory has to be undone by it.
  mutating func run(
    _ events: [StoreJournal.Event], _ changes: [(eventCount: Int, change: PieceBooks.Change)],
    _ body: (RecordingMemory, PieceBooks) throws -> Void
  ) throws {
    var rest = changes[...]
    try visit(body)
    for (index, event) in events.enumerated() {
      while let next = rest.first, next.eventCount <= index {
        apply(next.change)
        rest.removeFirst()
        try visit(body)
      }
      guard case .stores(let words) = event else { continue }
      // The words of one call come in any order; of many, not each one is looked at.
      let stride = max(1, words.count / 8)
      for start in Swift.stride(from: 0, to: words.count, by: stride) {
        memory.base.apply(words[start..<min(start + stride, words.count)])
        try visit(body)
      }
    }
    for next in rest {
      apply(next.change)
      try visit(body)
    }
  }

  private mutating func visit(_ body: (RecordingMemory, PieceBooks) throws -> Void) throws {
    count += 1
    try withCombination("crash point", count) { try body(memory, books) }
  }

  private func apply(_ change: PieceBooks.Change) {
    if case .allocated(let range, let zeroed) = change {
      PieceStorage.fill(range, zeroed: zeroed, in: memory)
    }
    books.apply(change)
  }
}
