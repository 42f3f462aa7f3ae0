public import MemoryAccess

/// Reads the entries of a ``PreservedPagesSurvey`` as runs of one order, sorted by address and, where
/// entries overlap, by order.
///
/// Merges the runs of all orders; holds the bits of one leaf for each.
public struct PreservedRuns<Memory: PhysicalMemory> {
  private let memory: Memory
  private var merger: RunMerger

  init(_ cursors: [BlockRunCursor], in memory: Memory, geometry: PageGeometry) {
    self.memory = memory
    merger = RunMerger(cursors, geometry: geometry) { memory.copyWords(of: $0, to: &$1) }
  }

  /// The next run; nil after the last.
  public mutating func next() -> BlockRun? {
    let memory = memory
    return merger.next { memory.copyWords(of: $0, to: &$1) }
  }
}

/// Merges the runs of several orders.
struct RunMerger {
  private let geometry: PageGeometry
  private var cursors: [BlockRunCursor]
  /// The next run of each cursor.
  private var heads: [BlockRun]
  /// Which head comes first, and the first block of the one after it.
  private var lowest = 0
  private var limit: PhysicalBlock?

  init(_ cursors: [BlockRunCursor], geometry: PageGeometry, _ read: BitmapReading) {
    self.geometry = geometry
    self.cursors = []
    heads = []
    for var cursor in cursors {
      guard let head = cursor.next(read) else { continue }
      self.cursors.append(cursor)
      heads.append(head)
    }
    findLowest()
  }

  /// The next run; nil after the last.
  ///
  /// - Parameter passes: whether a stretch of entries is to be passed over.
  mutating func next(
    _ read: BitmapReading, passingOver passes: (BlockStretch) -> Bool = { _ in false }
  ) -> BlockRun? {
    while !heads.isEmpty {
      if heads.count == 1 {
        let head = heads[0]
        if let next = cursors[0].next(before: nil, read, passingOver: passes) {
          heads[0] = next
        } else {
          heads.removeAll()
          cursors.removeAll()
        }
        return head
      }
      let (before, rest) = heads[lowest].split(before: limit, in: geometry)
      guard let before else {
        findLowest()
        continue
      }
      if let rest {
        heads[lowest] = rest
        findLowest()
      } else if let head = cursors[lowest].next(
        before: limit?.address, read, passingOver: passes)
      {
        heads[lowest] = head
      } else {
        heads.remove(at: lowest)
        cursors.remove(at: lowest)
        findLowest()
      }
      return before
    }
    return nil
  }

  private mutating func findLowest() {
    lowest = 0
    limit = nil
    for index in heads.indices.dropFirst() {
      let block = heads[index].firstBlock
      if block < heads[lowest].firstBlock {
        limit = heads[lowest].firstBlock
        lowest = index
      } else if limit.map({ block < $0 }) ?? true {
        limit = block
      }
    }
  }
}
