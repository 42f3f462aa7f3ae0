import KexecHandover
import Measuring
import Peers
import Synchronization
import TreeWorkloads

/// Threads that insert into one tree at once.
enum Threads {
  private static let nodeByteCount: UInt64 = 64 << 20

  /// What a thread does with its keys, below the root and with frames of its own.
  typealias Insertion =
    @Sendable (
      inout [RadixKey], inout ConcurrentRadixTree<DirectMap>, inout FramePool<DirectMap>
    ) throws(RadixTreeError) -> Int

  @Sendable
  private static func insertEach(
    _ keys: inout [RadixKey], _ tree: inout ConcurrentRadixTree<DirectMap>,
    _ frames: inout FramePool<DirectMap>
  ) throws(RadixTreeError) -> Int {
    var newCount = 0
    for key in keys where try tree.insert(key, from: &frames) { newCount &+= 1 }
    return newCount
  }

  @Sendable
  private static func insertBatch(
    _ keys: inout [RadixKey], _ tree: inout ConcurrentRadixTree<DirectMap>,
    _ frames: inout FramePool<DirectMap>
  ) throws(RadixTreeError) -> Int {
    var span = keys.mutableSpan
    return try tree.insert(contentsOf: &span, from: &frames)
  }

  /// Nanoseconds that `threadCount` threads take for all of `keys`, each for a part of its own.
  private static func time(
    _ keys: [UInt64], threadCount: Int, _ insertion: @escaping Insertion
  ) throws -> Double {
    let start: UInt64 = 1 << 30
    let range = PhysicalRange(
      start: PhysicalAddress(start), byteCount: nodeByteCount * UInt64(threadCount + 1))
    let memory = try AnonymousMemory(range, usesHugePages: true)
    // SAFETY: `memory` lives to the end of the function, and so of all threads.
    let map = unsafe memory.unsafeDirectMap
    @Sendable func pool(_ index: Int) -> FramePool<DirectMap> {
      let first = start + nodeByteCount * UInt64(index)
      return FramePool(
        of: PhysicalRange(start: PhysicalAddress(first), byteCount: nodeByteCount), in: map,
        geometry: .pages4KiB)
    }
    // Touched once: what is measured is the tree, not the kernel's zeros.
    map.withWords(at: range.start, count: Int(range.byteCount / 8)) { $0.clear() }
    var frames = pool(threadCount)
    let root = try RadixTree(in: map, geometry: RadixGeometry(.pages4KiB), from: &frames).root
    let shares = shares(of: keys, threadCount).map { share in
      KeyShare(share.map { RadixKey(rawValue: $0) })
    }
    let time = nanoseconds {
      atOnce(threadCount) { thread in
        var frames = pool(thread)
        var tree = ConcurrentRadixTree(
          adopting: root, in: map, geometry: RadixGeometry(.pages4KiB))
        do throws(RadixTreeError) {
          keep(UInt64(try insertion(&shares[thread].keys, &tree, &frames)))
        } catch {
          fatalError("the pool is too small: \(error)")
        }
      }
    }
    withExtendedLifetime(memory) {}
    return time
  }

  /// The keys of one thread, which no other one touches.
  private final class KeyShare: @unchecked Sendable {
    var keys: [RadixKey]
    init(_ keys: [RadixKey]) { self.keys = keys }
  }

  private static func shares(of keys: [UInt64], _ count: Int) -> [ArraySlice<UInt64>] {
    let size = keys.count / count
    return (0..<count).map { keys[$0 * size..<($0 + 1) * size] }
  }

  /// Nanoseconds that `threadCount` threads take for one plain atomic OR a key, in C, in words that
  /// are there: what memory gives a thread that inserts one by one.
  private static func timeOfBits(_ keys: [UInt64], frameCount: UInt64, threadCount: Int) -> Double {
    let byteCount = Int(frameCount / 8)
    let shares = shares(of: keys, threadCount).map { Array($0) }
    // SAFETY: mapped to the end of the function, and each bit that the mask leaves has its place.
    guard let words = unsafe peer_map(byteCount) else { return .nan }
    unsafe peer_fill(words, byteCount)
    let start = Int(bitPattern: words)
    let time = nanoseconds {
      atOnce(threadCount) { thread in
        unsafe shares[thread].withUnsafeBufferPointer {
          unsafe peer_or_bits(
            UnsafeMutablePointer(bitPattern: start), $0.baseAddress, $0.count, frameCount - 1)
        }
      }
    }
    unsafe peer_unmap(words, byteCount)
    return time
  }

  /// Calls `body` on `count` threads at once.
  private static func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Box {
      let body: @Sendable (Int) -> Void
      init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }
    }
    let box = Box(body)
    withExtendedLifetime(box) {
      // SAFETY: the box lives until all threads have ended.
      unsafe peer_run_threads(
        CInt(count),
        { index, context in
          unsafe Unmanaged<Box>.fromOpaque(context!).takeUnretainedValue().body(Int(index))
        }, Unmanaged.passUnretained(box).toOpaque())
    }
  }

  /// Nanoseconds that `threadCount` threads take to rebuild the page allocator of 16 GiB from the tree at `root`.
  private static func timeOfRebuild(
    _ root: PhysicalAddress, in map: DirectMap, mapOfFrames: DirectMap, threadCount: Int
  ) -> Double {
    let frames = FrameRange(start: FrameNumber(0), frameCount: 16 * Workloads.gibibyte)
    return nanoseconds {
      var builder = BuddyAllocatorBuilder(
        in: mapOfFrames, geometry: .pages4KiB, covering: frames,
        mapAt: mapOfFrames.range.start)
      builder.manage(frames)
      let markers = (0..<threadCount).map { builder.marker($0, of: threadCount) }
      let joined = Mutex([JoinedFrames?](repeating: nil, count: threadCount))
      atOnce(threadCount) { thread in
        let tree = RadixTree(adopting: root, in: map, geometry: RadixGeometry(.pages4KiB))
        let marker = markers[thread]
        let part = PhysicalRange(
          start: marker.frames.start.address(in: .pages4KiB),
          byteCount: marker.frames.frameCount << 12)
        tree.forEachRange(overlapping: part) { run in
          marker.use(FrameRange(within: run.range(in: .pages4KiB), in: .pages4KiB))
        }
        let ownFrames = marker.join()
        joined.withLock { $0[thread] = ownFrames }
      }
      let parts = joined.withLock { $0.compactMap(\.self) }
      keep(builder.finish(joining: parts).freeFrameCount)
    }
  }

  /// The allocator of 16 GiB, from folios of mixed orders.
  private static func printRebuild(repetitions: Int) throws {
    let product = try Product()
    keep(product.insert(.array(Folios.keys)))
    let range = PhysicalRange(start: PhysicalAddress(1 << 40), byteCount: 16 << 20)
    let memory = try AnonymousMemory(range, usesHugePages: true)
    // SAFETY: both memories live to the end of the function.
    let (map, frames) = unsafe (product.map, memory.unsafeDirectMap)
    printRow(
      "rebuild of the allocator, folios, a half of memory for each", Folios.keys, repetitions
    ) {
      timeOfRebuild(product.root, in: map, mapOfFrames: frames, threadCount: $0)
    }
    withExtendedLifetime((product, memory)) {}
  }

  static func printTable(repetitions: Int) throws {
    print("\n| two threads, one tree, no lock | one thread, ns a key | speed-up |")
    print("|---|--:|--:|")
    let loops = (0..<repetitions).map { _ in
      let alone = nanoseconds { keep(peer_spin(1 << 27)) }
      return 2 * alone / nanoseconds { atOnce(2) { _ in keep(peer_spin(1 << 27)) } }
    }
    print("| two loops that share nothing: what the machine gives | | \(rounded(median(loops)))× |")
    let ordered = (0..<1 << 22).map { Workloads.firstFrame | $0 }
    try printRow("in order, a half for each", ordered, repetitions) {
      try time(ordered, threadCount: $0, insertEach)
    }
    for (size, frameCount) in [
      ("16 GiB", 16 * Workloads.gibibyte), ("1 TiB", Workloads.tebibyte),
    ] {
      let keys = Workloads.randomKeys(frameCount, count: 1 << 22)
      try printRow("random over \(size), in a batch", keys, repetitions) {
        try time(keys, threadCount: $0, insertBatch)
      }
      try printRow("random over \(size), one by one", keys, repetitions) {
        try time(keys, threadCount: $0, insertEach)
      }
      printRow("no tree: an atomic OR in C for each", keys, repetitions) {
        timeOfBits(keys, frameCount: frameCount, threadCount: $0)
      }
    }
    try printRebuild(repetitions: repetitions)
  }

  private static func printRow(
    _ name: String, _ keys: [UInt64], _ repetitions: Int,
    _ time: (_ threadCount: Int) throws -> Double
  ) rethrows {
    var one: [Double] = []
    var ratios: [Double] = []
    // The first is to warm up.
    for repetition in 0...repetitions {
      let alone = try time(1)
      let together = try time(2)
      if repetition == 0 { continue }
      ratios.append(alone / together)
      one.append(alone / Double(keys.count))
    }
    print("| \(name) | \(rounded(median(one))) | \(rounded(median(ratios)))× |")
  }
}
