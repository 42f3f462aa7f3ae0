import HandoverTestSupport
import KexecHandover
import PersistentCollections

/// What is allocated of some memory, and everything that happened to it, in order.
final class PieceBooks {
  enum Change {
    case allocated(PhysicalRange, zeroed: Bool)
    case freed(PhysicalRange)
  }

  var allocated: Set<PhysicalRange> = []
  /// The changes, each with the number of stores that were recorded before it.
  var changes: [(eventCount: Int, change: Change)] = []
  /// The allocation that fails, counted from here; nil for none.
  var failing: Int?

  init(_ allocated: Set<PhysicalRange> = []) { self.allocated = allocated }

  func apply(_ change: Change) {
    switch change {
    case .allocated(let range, _): allocated.insert(range)
    case .freed(let range): allocated.remove(range)
    }
  }
}

/// Memory in pieces, for tests: what is stored is recorded, and so is what is allocated.
struct PieceStorage: ~Copyable, PersistentStorage {
  let memory: RecordingMemory
  let books: PieceBooks
  /// The first bytes are the root's.
  let rootByteCount: UInt64

  mutating func allocate(
    byteCount: UInt64, zeroed: Bool, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange {
    if let failing = books.failing {
      books.failing = failing - 1
      if failing == 0 { throw .memory(.full(frameCount: byteCount / 4096, byteCount: 0)) }
    }
    var alignment: UInt64 = 4096
    while alignment < byteCount { alignment *= 2 }
    var start = (rootByteCount + alignment - 1) / alignment * alignment
    while true {
      let range = PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
      guard memory.contains(range) else {
        throw .memory(.full(frameCount: byteCount / 4096, byteCount: memory.byteCount))
      }
      if !books.allocated.contains(where: { $0.overlaps(range) }) {
        // Nothing points here, so a successor after a crash does not need the zeros.
        Self.fill(range, zeroed: zeroed, in: memory)
        announce(range)
        record(.allocated(range, zeroed: zeroed))
        return range
      }
      start += alignment
    }
  }

  mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PersistentCollectionError) {
    guard books.allocated.contains(range) else {
      guard !books.allocated.contains(where: { $0.overlaps(range) }) else {
        throw .damaged(range.start)
      }
      return
    }
    record(.freed(range))
  }

  private func record(_ change: PieceBooks.Change) {
    books.apply(change)
    books.changes.append((memory.journal.events.count, change))
  }

  /// What a piece contains that was not asked to be filled with zeros.
  private static let leftover: UInt64 = 0xdead_beef_dead_beef

  /// Gives a piece the bytes that it has when it is allocated.
  static func fill(_ range: PhysicalRange, zeroed: Bool, in memory: RecordingMemory) {
    let count = Int(range.byteCount / 8)
    memory.base.withWords(at: range.start, count: count) { words in
      guard !zeroed else { return words.clear() }
      for index in 0..<count { words.publish(Self.leftover, at: index) }
    }
  }
}
