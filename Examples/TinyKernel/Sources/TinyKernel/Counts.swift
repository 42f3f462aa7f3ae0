import Machine
import MemoryAccess
import PreservedPages

// What operations on the tree cost, beside the plain tree in C that the benchmarks compare with, both in
// this machine. QEMU runs with -icount shift=0, so its clock counts instructions; seconds would say
// more about QEMU than about the code.

/// As many keys as `Benchmarks/instructions` uses, and the same ones: over 16 GiB.
private let keyCount: UInt64 = 1 << 16
private let firstKey: UInt64 = 1 << 52

/// Counts, prints a line for each operation, and ends the machine.
func countInstructions() -> Never {
  let place = machine_image_start() + (64 << 20)
  let nodes = PhysicalRange(start: PhysicalAddress(place), byteCount: 32 << 20)
  // SAFETY: mapped one to one, and used by nothing else in this mode.
  let memory = unsafe DirectMap(nodes, mappedAt: machine_pointer(place))
  let keys = place + (64 << 20)
  var state: UInt64 = 1
  for index in 0..<keyCount {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    machine_store64(keys + 8 * index, firstKey | state >> 42)
  }
  textbook_make(place + (32 << 20))
  var frames = FramePool(of: nodes, in: memory, geometry: geometry)
  do throws(RadixTreeError) {
    var tree = try RadixTree(in: memory, geometry: RadixGeometry(geometry), from: &frames)
    var start = machine_ticks()
    var mine = try insertInOrder(&tree, &frames)
    var middle = machine_ticks()
    var other = textbook_insert_in_order(firstKey, keyCount)
    report("insert, in order", start, middle, mine == other)

    start = machine_ticks()
    mine = try insert(&tree, &frames, keys)
    middle = machine_ticks()
    other = textbook_insert(keys, keyCount)
    report("insert, in no order", start, middle, mine == other)

    start = machine_ticks()
    mine = contains(tree, keys)
    middle = machine_ticks()
    other = textbook_contains(keys, keyCount)
    report("contains, in no order", start, middle, mine == other)

    start = machine_ticks()
    mine = walk(tree)
    middle = machine_ticks()
    other = textbook_walk()
    report("walk, each key", start, middle, mine == other)

    start = machine_ticks()
    mine = remove(&tree, keys)
    middle = machine_ticks()
    other = textbook_remove(keys, keyCount)
    report("remove, in no order", start, middle, mine == other)
  } catch {
    panic("the tree has no room")
  }
  say("TinyKernel: counted")
  machine_exit(0)
}

/// Prints instructions for each key, in tenths: this library's, then the C tree's.
private func report(
  _ operation: StaticString, _ start: UInt64, _ middle: UInt64, _ isEqual: Bool
) {
  let end = machine_ticks()
  guard isEqual else { panic("\(operation): the two trees differ") }
  say(
    "  count \((middle - start) * 10 / keyCount) \((end - middle) * 10 / keyCount) \(operation)")
}

@_optimize(speed)
@inline(never)
private func insertInOrder(
  _ tree: inout RadixTree<DirectMap>, _ frames: inout FramePool<DirectMap>
) throws(RadixTreeError) -> UInt64 {
  var sum: UInt64 = 0
  for key in firstKey..<firstKey + keyCount
  where try tree.insert(RadixKey(rawValue: key), from: &frames) {
    sum &+= 1
  }
  return sum
}

@_optimize(speed)
@inline(never)
private func insert(
  _ tree: inout RadixTree<DirectMap>, _ frames: inout FramePool<DirectMap>, _ keys: UInt64
) throws(RadixTreeError) -> UInt64 {
  var sum: UInt64 = 0
  for index in 0..<keyCount
  where try tree.insert(RadixKey(rawValue: machine_load64(keys + 8 * index)), from: &frames) {
    sum &+= 1
  }
  return sum
}

@_optimize(speed)
@inline(never)
private func contains(_ tree: borrowing RadixTree<DirectMap>, _ keys: UInt64) -> UInt64 {
  var sum: UInt64 = 0
  for index in 0..<keyCount
  where tree.contains(RadixKey(rawValue: machine_load64(keys + 8 * index))) {
    sum &+= 1
  }
  return sum
}

@_optimize(speed)
@inline(never)
private func remove(_ tree: inout RadixTree<DirectMap>, _ keys: UInt64) -> UInt64 {
  var sum: UInt64 = 0
  for index in 0..<keyCount
  where tree.remove(RadixKey(rawValue: machine_load64(keys + 8 * index))) {
    sum &+= 1
  }
  return sum
}

@_optimize(speed)
@inline(never)
private func walk(_ tree: borrowing RadixTree<DirectMap>) -> UInt64 {
  var xors: UInt64 = 0
  var sum: UInt64 = 0
  tree.forEachKey {
    xors ^= $0.rawValue
    sum &+= xors
  }
  return sum
}
