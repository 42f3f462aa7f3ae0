/// What is measured, on keys that every peer gets alike.
package enum Workloads {
  /// The key of frame 0; the next frames' keys follow it.
  package static let firstFrame: UInt64 = 1 << 52
  package static let gibibyte: UInt64 = 1 << 18
  package static let tebibyte: UInt64 = 1 << 28
  /// 16 GiB of single pages.
  package static let denseCount = 1 << 22
  package static let dense = Keys.sequence(first: firstFrame, step: 1, count: denseCount)

  package static var all: [Workload] { single + random + ranges + walks }

  private static func fill(_ set: any PageSet) {
    set.clear()
    set.insertRange(first: firstFrame, count: UInt64(denseCount))
  }

  private static var single: [Workload] {
    let alternate = Keys.sequence(first: firstFrame, step: 2, count: denseCount / 2)
    let folios = Folios.keys
    let shuffled = randomKeys(16 * gibibyte, count: 1 << 20)
    return [
      inserting("insert, in order, 16 GiB", dense),
      inserting("insert, every other page of 16 GiB", alternate),
      inserting("insert, folios of mixed orders, clustered", .array(folios)),
      Workload(
        name: "remove, in order, 16 GiB", operationCount: UInt64(denseCount), prepare: fill,
        run: { keep($0.remove(dense)) }),
      Workload(
        name: "remove, random, 16 GiB", operationCount: UInt64(shuffled.count), prepare: fill,
        run: { keep($0.remove(.array(shuffled))) }),
    ]
  }

  private static var random: [Workload] {
    let sizes: [(String, UInt64, Int)] = [
      ("16 GiB", 16 * gibibyte, 1 << 20), ("1 TiB", tebibyte, 1 << 22),
      ("16 TiB", 16 * tebibyte, 1 << 22),
    ]
    return sizes.map { insertRandom($0, $1, count: $2) }
      + sizes.map { insertMany($0, $1, count: $2) }
      + sizes.map { contains($0, $1, count: $2) }
  }

  private static var ranges: [Workload] {
    let count = UInt64(denseCount)
    return [
      Workload(
        name: "insert range, 16 GiB, new leaves", operationCount: count, prepare: { $0.clear() },
        run: { $0.insertRange(first: firstFrame, count: count) }),
      Workload(
        name: "insert range, 16 GiB, leaves there", operationCount: count,
        prepare: {
          fill($0)
          $0.removeRange(first: firstFrame, count: count)
        }, run: { $0.insertRange(first: firstFrame, count: count) }),
      Workload(
        name: "remove range, 16 GiB", operationCount: count, prepare: fill,
        run: { $0.removeRange(first: firstFrame, count: count) }),
    ]
  }

  private static var walks: [Workload] {
    let tenth = sparse(oneIn: 10)
    let folios = Folios.keys
    func holding(_ keys: Keys) -> (any PageSet) -> Void {
      {
        $0.clear()
        keep($0.insert(keys))
        $0.settle()
      }
    }
    return [
      Workload(
        name: "walk by key, dense 16 GiB", operationCount: UInt64(denseCount), prepare: fill,
        run: { keep($0.walkHash()) }),
      Workload(
        name: "walk by key, 10 % of 16 GiB", operationCount: UInt64(tenth.count),
        prepare: holding(.array(tenth)), run: { keep($0.walkHash()) }),
      Workload(
        name: "walk by run, dense 16 GiB", operationCount: UInt64(denseCount), prepare: fill,
        run: { $0.forEachRun { keep($0 &+ $1) } }),
      Workload(
        name: "walk by run, every other page", operationCount: UInt64(denseCount / 2),
        prepare: holding(.sequence(first: firstFrame, step: 2, count: denseCount / 2)),
        run: { $0.forEachRun { keep($0 &+ $1) } }),
      Workload(
        name: "rebuild of the allocator, folios", operationCount: UInt64(folios.count),
        prepare: holding(.array(folios)), run: { Rebuild.run($0) }),
    ]
  }

  /// Each page of 16 GiB with a chance of one in `divisor`.
  package static func sparse(oneIn divisor: UInt64) -> [UInt64] {
    var generator = KeyGenerator(seed: divisor)
    return (0..<16 * gibibyte).filter { _ in generator.next() % divisor == 0 }
      .map { firstFrame | $0 }
  }

  package static func randomKeys(_ frameCount: UInt64, count: Int, seed: UInt64 = 1) -> [UInt64] {
    var generator = KeyGenerator(seed: seed)
    return (0..<count).map { _ in firstFrame | generator.next() % frameCount }
  }

  private static func inserting(_ name: String, _ keys: Keys) -> Workload {
    Workload(
      name: name, operationCount: UInt64(keys.count), prepare: { $0.clear() },
      run: { keep($0.insert(keys)) })
  }

  package static func insertRandom(_ size: String, _ frameCount: UInt64, count: Int) -> Workload {
    inserting("insert, random, \(size)", .array(randomKeys(frameCount, count: count)))
  }

  package static func insertMany(_ size: String, _ frameCount: UInt64, count: Int) -> Workload {
    let keys = randomKeys(frameCount, count: count)
    return Workload(
      name: "insert batch, random, \(size)", operationCount: UInt64(count),
      prepare: {
        $0.clear()
        $0.stage(keys)
      }, run: { $0.insertMany(keys) })
  }

  package static func contains(_ size: String, _ frameCount: UInt64, count: Int) -> Workload {
    let there = randomKeys(frameCount, count: count)
    let asked = Keys.array(there.inDisorder(seed: 2))
    return Workload(
      name: "contains, random, \(size)", operationCount: UInt64(count),
      prepare: {
        $0.clear()
        keep($0.insert(.array(there)))
      }, run: { keep($0.contains(asked)) })
  }
}
