import DeviceTreeBlob
import Handover
import MemoryAccess
import PreservedPages

// Instantiates every generic of the core, as a kernel would use it: what cannot be compiled as
// Embedded Swift shows only where it is instantiated. Built for a bare machine by `.ci/run`.

/// Preserves blocks in the memory at `base`, walks them, and hands the root to a reader.
///
/// - Precondition: `base` is a multiple of the page size, and `byteCount` bytes from it are free.
@c
public func kho_probe_tree(_ base: UnsafeMutableRawPointer, _ byteCount: UInt64) -> UInt64 {
  let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: byteCount)
  // SAFETY: the caller promises the memory.
  let memory = unsafe DirectMap(range, mappedAt: base)
  var frames = FramePool(of: range, in: memory, geometry: .pages4KiB)
  do throws(RadixTreeError) {
    return try useTree(in: memory, from: &frames)
  } catch {
    return 0
  }
}

private func useTree(
  in memory: DirectMap, from frames: inout FramePool<DirectMap>
) throws(RadixTreeError) -> UInt64 {
  var tree = try RadixTree(in: memory, geometry: RadixGeometry(.pages4KiB), from: &frames)
  let key = RadixKey(PhysicalAddress(1 << 30), order: PageOrder(3), in: .pages4KiB)
  try tree.insert(key, from: &frames)
  var sum: UInt64 = tree.contains(key) ? 1 : 0
  tree.forEachKey { sum &+= $0.rawValue }
  tree.forEachRange { sum &+= $0.blockCount }
  tree.forEachNode { sum &+= UInt64($0.level) }
  sum &+= tree.count &+ (tree.firstKey?.rawValue ?? 0) &+ (tree.key(after: key)?.rawValue ?? 0)
  do throws(PreservedPagesFinding) { try tree.validate() } catch { sum = 0 }
  sum &+= survey(tree.reader)
  var count = NodeCount()
  tree.reader.walk(&count)
  sum &+= try useRuns(&tree, from: &frames)
  sum &+= try useConcurrently(tree.root, in: memory, from: &frames)
  tree.remove(key)
  sum &+= count.nodes &+ tree.prune(into: &frames)
  return sum &+ tree.destroy(into: &frames)
}

/// Whole runs, batches, and the tree in parts.
private func useRuns(
  _ tree: inout RadixTree<DirectMap>, from frames: inout FramePool<DirectMap>
) throws(RadixTreeError) -> UInt64 {
  let run = BlockRun(address: PhysicalAddress(1 << 30), order: .zero, blockCount: 70)
  try tree.insertRange(run, from: &frames)
  tree.removeRange(run)
  let range = FrameRange(start: FrameNumber(64), frameCount: 128)
  try tree.insertRange(range, order: PageOrder(6), from: &frames)
  var keys: [3 of RadixKey] = .init(repeating: RadixKey(rawValue: 1 << 52))
  var span = keys.mutableSpan
  var sum = UInt64(try tree.insert(contentsOf: &span, from: &frames))
  for part in tree.parts(2) {
    tree.forEachKey(in: part) { sum &+= $0.rawValue }
    tree.forEachRange(in: part) { sum &+= $0.blockCount }
  }
  tree.removeRange(range, order: PageOrder(6))
  return sum
}

/// The tree as one of several processors uses it.
private func useConcurrently(
  _ root: PhysicalAddress, in memory: DirectMap, from frames: inout FramePool<DirectMap>
) throws(RadixTreeError) -> UInt64 {
  var tree = ConcurrentRadixTree(
    adopting: root, in: memory, geometry: RadixGeometry(.pages4KiB))
  let key = RadixKey(PhysicalAddress(1 << 40), order: .zero, in: .pages4KiB)
  let isNew = try tree.insert(key, from: &frames)
  var keys: [2 of RadixKey] = .init(repeating: key)
  var span = keys.mutableSpan
  let newCount = UInt64(try tree.insert(contentsOf: &span, from: &frames))
  return newCount &+ (isNew ? 1 : 0) &+ (tree.contains(key) ? 1 : 0) &+ (tree.remove(key) ? 1 : 0)
}

private func survey(_ reader: RadixTreeReader<DirectMap>) -> UInt64 {
  var survey = PreservedPagesSurvey(reader)
  let covered = survey.sweep(in: reader.memory, deviceTree: nil, covering: [reader.memory.range])
  var sum: UInt64 = covered[0] ? 1 : 0
  survey.forEachRun(in: reader.memory) { sum &+= $0.blockCount }
  survey.forEachBlock(in: reader.memory) { sum &+= $0.address.rawValue }
  let chunks = PreservedPagesSurvey(
    chunkListAt: reader.root, in: reader.memory, geometry: reader.geometry.page)
  return sum &+ chunks.entryCount
}

/// A visitor without a heap, as a successor has it before its allocator.
private struct NodeCount: RadixTreeVisitor {
  var nodes: UInt64 = 0
  mutating func enter(_ node: RadixNode, from place: PointerPlace) -> Bool {
    nodes &+= 1
    return true
  }
  mutating func visitLeaf(_ leaf: RadixNode, bits: RawSpan) {}
  mutating func report(_ finding: PreservedPagesFinding) {}
}

/// Writes a root device tree into the page at `page` and reads the handover that it points to.
///
/// - Precondition: 4096 bytes from `page` on are free.
@c
public func kho_probe_handover(_ page: UnsafeMutableRawPointer, _ root: UInt64) -> UInt64 {
  let range = PhysicalRange(start: PhysicalAddress(4096), byteCount: 4096)
  // SAFETY: the caller promises the memory.
  let memory = unsafe DirectMap(range, mappedAt: page)
  do throws(DeviceTreeWriterError) {
    _ = try memory.withMutableBytes(in: range) { (bytes) throws(DeviceTreeWriterError) in
      try DeviceTreeWriter.write(into: &bytes) { (writer) throws(DeviceTreeWriterError) in
        try writer.property("compatible", string: ABIVersion.v4.compatible)
        try writer.property("preserved-memory-map", nativeUInt64: root)
      }
    }
  } catch {
    return 0
  }
  let survey = HandoverSurvey(.memory(range.start), in: memory, geometry: .pages4KiB)
  return UInt64(survey.findings.count) &+ (survey.pages?.entryCount ?? 0)
}
