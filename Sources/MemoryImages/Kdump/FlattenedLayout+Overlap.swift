extension FlattenedLayout {
  /// What is left of `runs` once later ones have overwritten earlier ones, sorted by place.
  ///
  /// - Complexity: O(*n* log *n*) for *n* runs; there are at most 2 *n* afterwards.
  static func withoutOverlap(_ runs: [Run]) -> [Run] {
    let order = runs.indices.sorted { (runs[$0].start, $0) < (runs[$1].start, $1) }
    let overlaps = zip(order, order.dropFirst()).contains { runs[$0].end > runs[$1].start }
    guard overlaps else { return order.map { runs[$0] } }

    var kept: [Run] = []
    // The runs that hold the current place and were not seen to end; the latest is the one that holds.
    var open = LatestFirst()
    var place: UInt64 = 0
    func keep(to end: UInt64) {
      while place < end, let index = open.latest {
        guard runs[index].end > place else {
          open.removeLatest()
          continue
        }
        let stop = min(end, runs[index].end)
        if let last = kept.last, last.end == place, last.fileOffset == runs[index].fileOffset {
          kept[kept.count &- 1].end = stop
        } else {
          var part = runs[index]
          part.start = place
          part.end = stop
          kept.append(part)
        }
        place = stop
      }
    }
    for index in order {
      keep(to: runs[index].start)
      place = runs[index].start
      open.insert(index)
    }
    keep(to: .max)
    return kept
  }
}

/// Numbers of which the largest is wanted: a heap.
private struct LatestFirst {
  private var heap: [Int] = []

  var latest: Int? { heap.first }

  mutating func insert(_ number: Int) {
    heap.append(number)
    var place = heap.count &- 1
    while place > 0, heap[(place &- 1) / 2] < heap[place] {
      heap.swapAt(place, (place &- 1) / 2)
      place = (place &- 1) / 2
    }
  }

  mutating func removeLatest() {
    heap.swapAt(0, heap.count &- 1)
    heap.removeLast()
    var place = 0
    while true {
      var largest = place
      for child in [2 &* place &+ 1, 2 &* place &+ 2] where child < heap.count {
        if heap[child] > heap[largest] { largest = child }
      }
      guard largest != place else { return }
      heap.swapAt(place, largest)
      place = largest
    }
  }
}
