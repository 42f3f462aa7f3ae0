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
    var foliosTree = try RadixTree(
      in: map, geometry: RadixGeometry(.pages4KiB), from: &frames)
    let folios = makeFolios()
    sum &+= try insertFolios(&foliosTree, &frames, folios)
    sum &+= rebuildAllocator(folios, in: map)
    sum &+= try reserveRanges(in: map, from: range)
    withExtendedLifetime(memory) { print(sum) }
  }
}

/// Blocks of mixed orders, by turns from the same memory, as a page allocator hands them out.
private func makeFolios() -> [UInt64] {
  var folios: [UInt64] = []
  var state: UInt64 = 2
  var page: UInt64 = 0
  while folios.count < Int(keyCount) {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let order = min([0, 0, 0, 1, 2, 4][Int(state >> 33) % 6], page.trailingZeroBitCount)
    folios.append(1 << UInt64(52 - order) | page >> UInt64(order))
    page += 1 << UInt64(order)
  }
  return folios
}

@inline(never)
func insertFolios(
  _ tree: inout RadixTree<DirectMap>, _ frames: inout FramePool<DirectMap>, _ keys: [UInt64]
) throws(RadixTreeError) -> UInt64 {
  // Another sum than that of `insertRandom`: the compiler makes one function of two that are the same, and
  // then one count of both.
  var sum: UInt64 = 0
  for key in keys where try tree.insert(RadixKey(rawValue: key), from: &frames) { sum &+= key }
  return sum
}

/// Every other folio is in use.
@inline(never)
func rebuildAllocator(_ keys: [UInt64], in memory: DirectMap) -> UInt64 {
  let covered = FrameRange(start: FrameNumber(1), frameCount: 1 << 18)
  var builder = BuddyAllocatorBuilder(
    in: memory, geometry: .pages4KiB, covering: covered,
    mapAt: memory.range.start.advanced(byBytes: 4 << 20))
  builder.manage(covered)
  for index in stride(from: 0, to: keys.count, by: 2) {
    guard let block = RadixKey(rawValue: keys[index]).decoded(in: .pages4KiB) else { continue }
    builder.use(FrameRange(block, in: .pages4KiB))
  }
  return builder.finish().freeFrameCount
}

/// As many ranges as there are keys, none of which touches another, by address.
@inline(never)
func reserveRanges(
  in memory: DirectMap, from range: PhysicalRange
) throws(MemblockError) -> UInt64 {
  var memblock = Memblock(in: memory, geometry: .pages4KiB)
  try memblock.add(range)
  memblock.accessible = range
  for index in 0..<keyCount {
    let start = PhysicalAddress(1 << 40 + index * 8192)
    try memblock.reserve(PhysicalRange(start: start, byteCount: 4096))
  }
  return UInt64(memblock.reservedRegionCount)
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
