import KexecHandover

/// The product: a tree in memory of its own, without a lock.
package final class Product: PageSet {
  package let name = "KexecHandover"
  let geometry = RadixGeometry(.pages4KiB)
  /// Owns what `map` shows.
  private let memory: AnonymousMemory
  private let range: PhysicalRange
  package let map: DirectMap
  package private(set) var root: PhysicalAddress
  var frames: FramePool<DirectMap>
  private var scratch: [RadixKey] = []

  /// 16 TiB of single pages take 513 MiB of nodes.
  package init() throws(MemoryImageError) {
    range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 640 << 20)
    memory = try AnonymousMemory(range, usesHugePages: true)
    // SAFETY: `memory` lives as long as `self`, which alone uses the map.
    unsafe map = memory.unsafeDirectMap
    frames = FramePool(of: range, in: map, geometry: .pages4KiB)
    root = frames.takeFrame()!
  }

  package func clear() {
    frames = FramePool(of: range, in: map, geometry: .pages4KiB)
    root = frames.takeFrame()!
  }

  var tree: RadixTree<DirectMap> { RadixTree(adopting: root, in: map, geometry: geometry) }

  package var byteCount: UInt64? { frames.takenCount * 4096 }

  package func insert(_ keys: Keys) -> UInt64 { insert(keys, from: &frames) }

  /// With the frames as an argument: a class's property costs a check each time it is used.
  private func insert(_ keys: Keys, from frames: inout FramePool<DirectMap>) -> UInt64 {
    var tree = tree
    var sum: UInt64 = 0
    do {
      switch keys {
      case .array(let keys):
        for key in keys where try tree.insert(RadixKey(rawValue: key), from: &frames) { sum &+= 1 }
      case .sequence(let first, let step, let count):
        var key = first
        for _ in 0..<count {
          if try tree.insert(RadixKey(rawValue: key), from: &frames) { sum &+= 1 }
          key &+= step
        }
      }
    } catch {
      fatalError("the pool is too small: \(error)")
    }
    return sum
  }

  package func stage(_ keys: [UInt64]) { scratch = keys.map { RadixKey(rawValue: $0) } }

  package func insertMany(_ keys: [UInt64]) {
    precondition(scratch.count == keys.count, "keys that were not staged")
    keep(UInt64(insertMany(&scratch, from: &frames)))
  }

  private func insertMany(
    _ keys: inout [RadixKey], from frames: inout FramePool<DirectMap>
  ) -> Int {
    var tree = tree
    var span = keys.mutableSpan
    do { return try tree.insert(contentsOf: &span, from: &frames) } catch {
      fatalError("the pool is too small: \(error)")
    }
  }

  package func insertRange(first: UInt64, count: UInt64) {
    var tree = tree
    do { try tree.insertRange(run(first, count), from: &frames) } catch {
      fatalError("the pool is too small: \(error)")
    }
  }

  package func removeRange(first: UInt64, count: UInt64) {
    var tree = tree
    tree.removeRange(run(first, count))
  }

  private func run(_ first: UInt64, _ count: UInt64) -> BlockRun {
    let block = RadixKey(rawValue: first).decoded(in: .pages4KiB)!
    return BlockRun(address: block.address, order: block.order, blockCount: count)
  }

  package func remove(_ keys: Keys) -> UInt64 {
    var tree = tree
    var sum: UInt64 = 0
    switch keys {
    case .array(let keys):
      for key in keys where tree.remove(RadixKey(rawValue: key)) { sum &+= 1 }
    case .sequence(let first, let step, let count):
      var key = first
      for _ in 0..<count {
        if tree.remove(RadixKey(rawValue: key)) { sum &+= 1 }
        key &+= step
      }
    }
    return sum
  }

  package func contains(_ keys: Keys) -> UInt64 {
    let tree = tree
    var sum: UInt64 = 0
    switch keys {
    case .array(let keys):
      for key in keys where tree.contains(RadixKey(rawValue: key)) { sum &+= 1 }
    case .sequence(let first, let step, let count):
      var key = first
      for _ in 0..<count {
        if tree.contains(RadixKey(rawValue: key)) { sum &+= 1 }
        key &+= step
      }
    }
    return sum
  }

  package func walkHash() -> UInt64 {
    var hash = KeyHash()
    tree.forEachKey { hash.add($0.rawValue) }
    return hash.sum
  }

  package func forEachRun(_ body: (UInt64, UInt64) -> Void) {
    tree.forEachRange {
      body(RadixKey($0.address, order: $0.order, in: .pages4KiB).rawValue, $0.blockCount)
    }
  }
}
