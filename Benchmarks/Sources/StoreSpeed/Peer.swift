import Foundation

/// What keeps 64-bit values under 64-bit keys.
protocol Peer {
  static var name: String { get }
  /// Why the peer is left out; nil where it is installed.
  static var reasonForAbsence: String? { get }
  /// Begins at `path`, or opens what another process left there.
  init(path: String, isNew: Bool) throws
  mutating func put(_ key: UInt64, _ value: UInt64) throws
  /// Ends what ``put(_:_:)`` began.
  mutating func commit() throws
  func get(_ key: UInt64) throws -> UInt64?
  /// Gets the values under ``key(_:)`` of each of `numbers`, and compares them with the numbers.
  func compare(_ numbers: [UInt64]) throws
  /// Reads all entries, in order where the peer has one; returns their number.
  func scan() throws -> UInt64
  /// How many bytes of memory all entries take, where that can be told.
  func byteCount() -> UInt64?
  /// The processor time in nanoseconds that the peer took so far outside this process.
  func outsideTime() -> Double
}

extension Peer {
  static var reasonForAbsence: String? { nil }

  func outsideTime() -> Double { 0 }

  func compare(_ numbers: [UInt64]) throws {
    for number in numbers {
      guard try get(key(number)) == number else {
        throw PeerFailure(reason: "\(Self.name): entry \(number) is missing")
      }
    }
  }
}

/// Keys in an order that looks random, the same for all.
func key(_ number: UInt64) -> UInt64 {
  var mixed = number &* 0x9e37_79b9_7f4a_7c15
  mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
  return mixed ^ (mixed >> 31)
}

/// The nanoseconds that `body` takes.
func measured(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let time = try clock.measure(body)
  return Double(time.components.seconds) * 1e9 + Double(time.components.attoseconds) / 1e9
}

/// The processor time in nanoseconds that this process has taken, all its threads.
func processTime() -> Double { time(of: CLOCK_PROCESS_CPUTIME_ID) }

/// The processor time in nanoseconds that this thread has taken.
func threadTime() -> Double { time(of: CLOCK_THREAD_CPUTIME_ID) }

/// The processor time in nanoseconds that `body` takes in this process.
func processorTime(_ body: () throws -> Void) rethrows -> Double {
  let start = processTime()
  try body()
  return processTime() - start
}

private func time(of clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// Prints a line at once.
func show(_ line: String) {
  print(line)
  fflush(nil)
}
