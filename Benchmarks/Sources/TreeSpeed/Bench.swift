import KexecHandover

/// A tree in anonymous memory, and what is measured on it.
///
/// A value, with the tree in a local variable of each loop: what is measured is the tree, not the
/// checks for exclusive access that a class's properties cost.
struct Bench: ~Copyable {
  private let memory: AnonymousMemory
  private let geometry = RadixGeometry(.pages4KiB)
  private let keyCount: UInt64
  private var frames: FramePool<AnonymousMemory>
  private let root: PhysicalAddress

  /// The key of frame 0; the next frames' keys follow it.
  private static let firstKey = RadixKey(.zero, order: .zero, in: .pages4KiB).rawValue

  init(keyCount: UInt64) throws(MemoryImageError) {
    self.keyCount = keyCount
    let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 256 << 20)
    memory = try AnonymousMemory(range)
    frames = FramePool(of: range, in: memory, geometry: .pages4KiB)
    guard let root = frames.takeFrame() else { fatalError("an empty pool") }
    self.root = root
  }

  private var tree: RadixTree<AnonymousMemory> {
    RadixTree(adopting: root, in: memory, geometry: geometry)
  }

  private mutating func empty() {
    var tree = tree
    for offset in 0..<keyCount { tree.remove(RadixKey(rawValue: Self.firstKey &+ offset)) }
    tree.prune(into: &frames)
  }

  /// Inserts every `step`th key.
  private mutating func fill(step: UInt64 = 1) {
    var tree = tree
    do {
      var offset: UInt64 = 0
      while offset < keyCount {
        try tree.insert(RadixKey(rawValue: Self.firstKey &+ offset), from: &frames)
        offset &+= step
      }
    } catch {
      fatalError("the pool is too small: \(error)")
    }
  }

  mutating func sequentialInsert() -> Row {
    measure("insert, in order, new leaves", operations: keyCount) {
      empty()
      return time { fill() }
    }
  }

  mutating func repeatedInsert() -> Row {
    fill()
    return measure("insert, in order, already there", operations: keyCount) { time { fill() } }
  }

  mutating func randomInsert() -> Row {
    let count = keyCount / 4
    let mask = keyCount - 1
    return measure("insert, random over 64 GiB", operations: count) {
      empty()
      return time {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        var tree = tree
        do {
          for _ in 0..<count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let key = RadixKey(rawValue: Self.firstKey &+ (state >> 33) & mask)
            try tree.insert(key, from: &frames)
          }
        } catch {
          fatalError("the pool is too small: \(error)")
        }
      }
    }
  }

  mutating func contains() -> Row {
    fill()
    let tree = tree
    return measure("contains, from the root each time", operations: keyCount) {
      time {
        var found: UInt64 = 0
        for offset in 0..<keyCount {
          if tree.contains(RadixKey(rawValue: Self.firstKey &+ offset)) { found &+= 1 }
        }
        precondition(found == keyCount)
      }
    }
  }

  mutating func walkKeys(_ name: String, step: UInt64 = 1) -> Row {
    empty()
    fill(step: step)
    let count = (keyCount + step - 1) / step
    let tree = tree
    return measure(name, operations: count) {
      time {
        // Order-dependent, so that the walk cannot be folded into arithmetic on whole words.
        var hash: UInt64 = 0
        var seen: UInt64 = 0
        tree.forEachKey {
          hash = (hash << 1 | hash >> 63) ^ $0.rawValue
          seen &+= 1
        }
        precondition(seen == count)
        keep(hash)
      }
    }
  }

  mutating func walkRanges() -> Row {
    fill()
    let tree = tree
    return measure("walk by range, 2^24 dense keys", operations: keyCount) {
      time {
        var blocks: UInt64 = 0
        tree.forEachRange { blocks &+= $0.blockCount }
        precondition(blocks == keyCount)
      }
    }
  }

  mutating func count() -> Row {
    fill()
    let tree = tree
    return measure("count", operations: keyCount) {
      time { precondition(tree.count == keyCount) }
    }
  }

  mutating func sequentialRemove() -> Row {
    measure("remove, in order", operations: keyCount) {
      fill()
      return time {
        var tree = tree
        for offset in 0..<keyCount { tree.remove(RadixKey(rawValue: Self.firstKey &+ offset)) }
      }
    }
  }

  mutating func untrustedSurvey() -> Row {
    fill()
    let tree = tree
    return measure("survey and sweep of untrusted memory", operations: keyCount) {
      time {
        var survey = PreservedPagesSurvey(tree.reader)
        _ = survey.sweep(in: memory, deviceTree: nil, covering: [])
        precondition(survey.entryCount == keyCount)
      }
    }
  }
}
