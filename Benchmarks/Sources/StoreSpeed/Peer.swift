import Measuring

/// A program or library that stores 64-bit values under 64-bit keys.
protocol Peer {
  static var name: String { get }
  /// Why the peer is left out; nil if it is installed.
  static var reasonForAbsence: String? { get }
  /// Makes the peer's file or folder at `path`, or opens that of an earlier process.
  init(path: String, isNew: Bool) throws
  mutating func put(_ key: UInt64, _ value: UInt64) throws
  /// Commits what ``put(_:_:)`` has not committed yet.
  mutating func commit() throws
  func get(_ key: UInt64) throws -> UInt64?
  /// Gets the values under ``key(_:)`` of each of `numbers`, and compares them with the numbers.
  func compare(_ numbers: [UInt64]) throws
  /// Reads all entries, in order of the keys if the peer sorts them; returns their number.
  func scan() throws -> UInt64
  /// The bytes of memory that all entries take; nil if the peer does not report that.
  func byteCount() -> UInt64?
  /// The processor time in nanoseconds that the peer has taken outside of this process.
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
