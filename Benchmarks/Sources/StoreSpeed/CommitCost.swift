import Foundation
import KexecHandover
import Measuring
import PersistentCollections
import Synchronization
import SystemPackage

/// What durable commits cost.
enum CommitCost {
  private static let repetitionCount = 15

  static func run(_ folder: String) throws {
    let path = folder + "/store-speed-commits-\(getpid())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    show(
      """
      Durable commits to \(folder), median of \(repetitionCount), ms; load \(load())

      | stored in the map | one changed entry: processor, in all | 1,000 changed entries | fsync(2) of one page |
      |--:|--:|--:|--:|
      """)
    for entryCount in [10_000, 100_000, 1_000_000] as [UInt64] {
      try measure(entryCount, path)
    }
    try threads(path)
  }

  private static func store(_ entryCount: UInt64) throws -> (
    PersistentStore, StoreMap<UInt64, UInt64>
  ) {
    let store = try PersistentStore(
      PreservedMemory(creating: .memfd(name: "commits"), byteCount: 1 << 26))
    let map = try store.map("map", of: (UInt64.self, UInt64.self))
    for number in 0..<entryCount { try map.set(number, for: key(number)) }
    return (store, map)
  }

  private static func measure(_ entryCount: UInt64, _ path: String) throws {
    let (store, map) = try store(entryCount)
    let folder = path + "/copies"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let copies = try DurableCopies(of: store, in: FilePath(folder))
    // Both copies have everything.
    try copies.commit()
    try copies.commit()
    let columns = try [1, 1000].map { (changeCount: UInt64) in
      try times { repetition in
        for change in 0..<changeCount {
          let number = (change &* 7919 &+ repetition) % entryCount
          try map.set(change, for: key(number))
        }
      } of: {
        try copies.commit()
      }
    }
    let file = open(path + "/page", O_CREAT | O_WRONLY, 0o600)
    defer { close(file) }
    let page = [UInt8](repeating: 7, count: 4096)
    let waits = try times { _ in
    } of: {
      _ = pwrite(file, page, page.count, 0)
      _ = fsync(file)
    }
    let bytes = try store.contents().first?.storageByteCount ?? 0
    show(
      "| \(bytes >> 20) MiB | " + (columns + [waits]).map(text).joined(separator: " | ") + " |")
  }

  /// The processor time and all the time that `body` takes, after `prepare`.
  private static func times(
    _ prepare: (UInt64) throws -> Void, of body: () throws -> Void
  ) throws -> (processor: Double, all: Double) {
    var times: (processor: [Double], all: [Double]) = ([], [])
    for repetition in 0..<UInt64(repetitionCount) {
      try prepare(repetition)
      let start = processTime()
      times.all.append(try nanoseconds(body))
      times.processor.append(processTime() - start)
    }
    return (median(times.processor) ?? .nan, median(times.all) ?? .nan)
  }

  private static func text(_ times: (processor: Double, all: Double)) -> String {
    String(format: "%.1f, %.1f", times.processor / 1e6, times.all / 1e6)
  }

  /// Each thread changes an entry and commits, over and over.
  private static func threads(_ path: String) throws {
    show(
      "\n| threads that change an entry and commit | durable changes a second | commits a second |")
    show("|--:|--:|--:|")
    for threadCount in [1, 4, 16] {
      let (store, map) = try store(10_000)
      let folder = path + "/copies"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let copies = try DurableCopies(of: store, in: FilePath(folder))
      let first = try copies.commit().number
      let changeCount = Atomic<Int>(0)
      let end = ContinuousClock.now + .seconds(2)
      let time = nanoseconds {
        DispatchQueue.concurrentPerform(iterations: threadCount) { thread in
          var number = UInt64(thread)
          while ContinuousClock.now < end {
            do {
              try map.set(number, for: key(number % 10_000))
              try copies.commit()
            } catch { fatalError("\(error)") }
            number += 16
            changeCount.add(1, ordering: .relaxed)
          }
        }
      }
      let commitCount = try copies.commit().number - first
      show(
        String(
          format: "| %d | %.0f | %.0f |", threadCount,
          Double(changeCount.load(ordering: .relaxed)) / time * 1e9,
          Double(commitCount) / time * 1e9))
    }
  }
}
