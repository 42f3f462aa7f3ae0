import KexecHandover

// The operations whose instructions `Benchmarks/instructions` counts: each in a function of its own,
// which valgrind finds by name, on keys that are the same in every run.

/// How many keys each works on, over 16 GiB.
private let keyCount: UInt64 = 1 << 16
private let firstFrame: UInt64 = 1 << 52

@main
struct HotPaths {
  static func main() throws {
    let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 8 << 20)
    let memory = try AnonymousMemory(range)
    // SAFETY: `memory` is kept to the end of the function.
    let map = unsafe memory.unsafeDirectMap
    var frames = FramePool(of: range, in: map, geometry: .pages4KiB)
    var tree = try RadixTree(in: map, geometry: RadixGeometry(.pages4KiB), from: &frames)
    var random: [UInt64] = []
    var state: UInt64 = 1
    for _ in 0..<keyCount {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      random.append(firstFrame | state >> 42)
    }
    var sum = try insertInOrder(&tree, &frames)
    sum &+= try insertRandom(&tree, &frames, random)
    sum &+= containsRandom(tree, random)
    sum &+= walkByKey(tree)
    sum &+= walkByRun(tree)
    withExtendedLifetime(memory) { print(sum) }
  }
}

@inline(never)
func insertInOrder(
  _ tree: inout RadixTree<DirectMap>, _ frames: inout FramePool<DirectMap>
) throws(RadixTreeError) -> UInt64 {
  var sum: UInt64 = 0
  for key in firstFrame..<firstFrame + keyCount {
    if try tree.insert(RadixKey(rawValue: key), from: &frames) { sum &+= 1 }
  }
  return sum
}

@inline(never)
func insertRandom(
  _ tree: inout RadixTree<DirectMap>, _ frames: inout FramePool<DirectMap>, _ keys: [UInt64]
) throws(RadixTreeError) -> UInt64 {
  var sum: UInt64 = 0
  for key in keys where try tree.insert(RadixKey(rawValue: key), from: &frames) { sum &+= 1 }
  return sum
}

@inline(never)
func containsRandom(_ tree: borrowing RadixTree<DirectMap>, _ keys: [UInt64]) -> UInt64 {
  var sum: UInt64 = 0
  for key in keys where tree.contains(RadixKey(rawValue: key)) { sum &+= 1 }
  return sum
}

@inline(never)
func walkByKey(_ tree: borrowing RadixTree<DirectMap>) -> UInt64 {
  var hash: UInt64 = 0
  tree.forEachKey { hash = (hash << 1 | hash >> 63) ^ $0.rawValue }
  return hash
}

@inline(never)
func walkByRun(_ tree: borrowing RadixTree<DirectMap>) -> UInt64 {
  var hash: UInt64 = 0
  tree.forEachRange { hash = (hash << 1 | hash >> 63) ^ ($0.address.rawValue &+ $0.blockCount) }
  return hash
}
