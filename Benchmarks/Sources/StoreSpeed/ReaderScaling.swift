import Foundation
import KexecHandover
import Measuring
import PersistentCollections
import Synchronization

/// How many lookups readers make, alone and together, and beside a writer.
///
/// The time is the processor time of each thread. It contains what readers lose to each other, by a counter or a
/// cache line that they share, and not what they lose to other programs on the machine.
enum ReaderScaling {
  private final class State: Sendable {
    let isGo = Atomic<Bool>(false)
    let isDone = Atomic<Bool>(false)
    /// Lookups in a second of processor time, the sum over the threads.
    let rate = Atomic<UInt64>(0)
    let ended = Atomic<Int>(0)
  }

  private static let entryCount: UInt64 = 200_000
  private static let repetitionCount = 9

  static func run() throws {
    let store = try PersistentStore(
      PreservedMemory(creating: .memfd(name: "readers"), byteCount: 1 << 26))
    let map = try store.map("map", of: (UInt64.self, UInt64.self))
    let ordered = try store.orderedMap("ordered", of: (UInt64.self, UInt64.self))
    for number in 0..<entryCount {
      try map.set(number, for: key(number))
      try ordered.set(number, for: key(number))
    }
    let processorCount = ProcessInfo.processInfo.activeProcessorCount
    show(
      """
      Lookups in a second of each thread's processor time, millions, median of \(repetitionCount); \(processorCount) processors; \
      load before \(load())

      | | 1 thread | 2 threads | times | 4 threads | 4 threads and a writer |
      |---|--:|--:|--:|--:|--:|
      """)
    report("two loops that share nothing: what the machine gives") { number in
      (0..<20).reduce(number) { mixed, _ in key(mixed) } == 0
    }
    report("map", { try map[key($0 % entryCount)] == nil }) { number in
      try map.set(number % entryCount, for: key(number % entryCount))
    }
    report("ordered map", { try ordered[key($0 % entryCount)] == nil }) { number in
      try ordered.set(number % entryCount, for: key(number % entryCount))
    }
    show("\nLoad after \(load()).")
  }

  /// - Parameters:
  ///   - isMissing: looks an entry up; returns whether it is missing.
  ///   - change: changes an entry.
  private static func report(
    _ name: String, _ isMissing: @escaping @Sendable (UInt64) throws -> Bool,
    beside change: (@Sendable (UInt64) throws -> Void)? = nil
  ) {
    var rates: [[Double]] = [[], [], [], []]
    // The kinds take turns, so that other programs on the machine disturb all of them alike.
    for _ in 0..<repetitionCount {
      for (index, threadCount) in [1, 2, 4].enumerated() {
        rates[index].append(rate(threadCount, isMissing, nil))
      }
      if let change { rates[3].append(rate(4, isMissing, change)) }
    }
    let times = median(zip(rates[0], rates[1]).map { $1 / $0 }) ?? .nan
    func text(_ rates: [Double]) -> String {
      median(rates).map { String(format: "%.2f", $0 / 1e6) } ?? ""
    }
    show(
      "| \(name) | \(text(rates[0])) | \(text(rates[1])) | \(String(format: "%.2f", times)) "
        + "| \(text(rates[2])) | \(text(rates[3])) |")
  }

  private static func rate(
    _ threadCount: Int, _ isMissing: @escaping @Sendable (UInt64) throws -> Bool,
    _ change: (@Sendable (UInt64) throws -> Void)?
  ) -> Double {
    let state = State()
    for index in 0..<threadCount {
      start(state) {
        var number = UInt64(index) << 20
        var count: UInt64 = 0
        let begin = threadTime()
        while !state.isDone.load(ordering: .relaxed) {
          for _ in 0..<64 {
            number += 1
            if try isMissing(number) { throw PeerFailure(reason: "an entry is missing") }
          }
          count += 64
        }
        let seconds = (threadTime() - begin) / 1e9
        state.rate.add(UInt64(Double(count) / seconds), ordering: .relaxed)
      }
    }
    if let change {
      start(state) {
        var number: UInt64 = 0
        while !state.isDone.load(ordering: .relaxed) {
          number += 1
          try change(number)
        }
      }
    }
    state.isGo.store(true, ordering: .releasing)
    Thread.sleep(forTimeInterval: 0.3)
    state.isDone.store(true, ordering: .relaxed)
    let count = threadCount + (change == nil ? 0 : 1)
    while state.ended.load(ordering: .acquiring) < count { Thread.sleep(forTimeInterval: 0.001) }
    return Double(state.rate.load(ordering: .relaxed))
  }

  private static func start(_ state: State, _ body: @escaping @Sendable () throws -> Void) {
    let thread = Thread {
      while !state.isGo.load(ordering: .acquiring) { sched_yield() }
      do { try body() } catch { fatalError("\(error)") }
      state.ended.add(1, ordering: .releasing)
    }
    thread.start()
  }
}
