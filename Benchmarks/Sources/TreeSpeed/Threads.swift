import KexecHandover
import Peers

/// Threads that insert into one tree at once.
enum Threads {
  private static let nodeByteCount: UInt64 = 64 << 20

  /// Nanoseconds that `threadCount` threads take for all of `keys`, each for a part of its own.
  static func insert(_ keys: [UInt64], threadCount: Int) throws -> Double {
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
    let share = keys.count / threadCount
    let time = nanoseconds {
      atOnce(threadCount) { thread in
        insert(keys[thread * share..<(thread + 1) * share], below: root, in: map, pool(thread))
      }
    }
    withExtendedLifetime(memory) {}
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

  private static func insert(
    _ keys: ArraySlice<UInt64>, below root: PhysicalAddress, in map: DirectMap,
    _ pool: consuming FramePool<DirectMap>
  ) {
    var frames = pool
    var tree = ConcurrentRadixTree(
      adopting: root, in: map, geometry: RadixGeometry(.pages4KiB))
    var sum: UInt64 = 0
    do throws(RadixTreeError) {
      for key in keys where try tree.insert(RadixKey(rawValue: key), from: &frames) { sum += 1 }
    } catch {
      fatalError("the pool is too small: \(error)")
    }
    keep(sum)
  }

  static func printTable(repetitions: Int) throws {
    print("\n| two threads, one tree, no lock | one thread, ns a key | speed-up |")
    print("|---|--:|--:|")
    let loops = (0..<repetitions).map { _ in
      let alone = nanoseconds { keep(peer_spin(1 << 27)) }
      return 2 * alone / nanoseconds { atOnce(2) { _ in keep(peer_spin(1 << 27)) } }
    }
    print("| two loops that share nothing: what the machine gives | | \(rounded(median(loops)))× |")
    let gibibytes = 16 * Workloads.gibibyte
    let cases: [(String, [UInt64])] = [
      ("in order, a half for each", (0..<1 << 22).map { Workloads.firstFrame | $0 }),
      ("random over 16 GiB", Workloads.randomKeys(gibibytes, count: 1 << 22)),
      ("random over 1 TiB", Workloads.randomKeys(Workloads.tebibyte, count: 1 << 22)),
    ]
    for (name, keys) in cases {
      var one: [Double] = []
      var ratios: [Double] = []
      for _ in 0..<repetitions {
        let alone = try insert(keys, threadCount: 1)
        ratios.append(alone / (try insert(keys, threadCount: 2)))
        one.append(alone / Double(keys.count))
      }
      print("| \(name) | \(rounded(median(one))) | \(rounded(median(ratios)))× |")
    }
  }
}
