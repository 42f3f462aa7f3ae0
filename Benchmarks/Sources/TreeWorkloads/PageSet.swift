/// The keys that one run works on.
package enum Keys {
  case array([UInt64])
  case sequence(first: UInt64, step: UInt64, count: Int)

  package var count: Int {
    switch self {
    case .array(let keys): keys.count
    case .sequence(_, _, let count): count
    }
  }
}

/// A set of preserved blocks: the product, or one that it is compared with.
///
/// Each has its loops over keys to itself, so that what is measured is the set and not the way to it.
package protocol PageSet: AnyObject {
  var name: String { get }

  /// Makes the set empty; what it has learnt of memory it may keep.
  func clear()
  /// Gives back what it has learnt of memory, where that makes a walk faster.
  func settle()

  /// Adds keys one by one, and returns how many were new.
  func insert(_ keys: Keys) -> UInt64
  /// Removes keys one by one, and returns how many were there.
  func remove(_ keys: Keys) -> UInt64
  /// Returns how many of the keys are there, asked one by one.
  func contains(_ keys: Keys) -> UInt64

  /// Copies keys where ``insertMany(_:)`` would change them; not timed.
  func stage(_ keys: [UInt64])
  /// Adds keys in no order, which were staged, in whatever way is best.
  func insertMany(_ keys: [UInt64])
  /// Adds or removes adjoining keys of one order, in whatever way is best.
  func insertRange(first: UInt64, count: UInt64)
  func removeRange(first: UInt64, count: UInt64)

  /// Hashes all keys, each in its turn.
  func walkHash() -> UInt64
  /// Calls `body` with every maximal run of keys, in order.
  func forEachRun(_ body: (_ first: UInt64, _ count: UInt64) -> Void)

  /// The bytes it takes, where it knows them itself.
  var byteCount: UInt64? { get }
}

extension PageSet {
  package func settle() {}

  package func stage(_ keys: [UInt64]) {}

  package func insertMany(_ keys: [UInt64]) { keep(insert(.array(keys))) }

  package func insertRange(first: UInt64, count: UInt64) {
    keep(insert(.sequence(first: first, step: 1, count: Int(count))))
  }

  package func removeRange(first: UInt64, count: UInt64) {
    keep(remove(.sequence(first: first, step: 1, count: Int(count))))
  }

  package var byteCount: UInt64? { nil }
}

/// What every walk computes: depends on the order and on every key, so that none can be folded into
/// arithmetic on whole words. `peer_hash` of the C peers.
@frozen
@usableFromInline
package struct KeyHash {
  @usableFromInline
  var xors: UInt64 = 0
  @usableFromInline
  package var sum: UInt64 = 0

  @inlinable
  package init() {}

  @inlinable
  @inline(__always)
  package mutating func add(_ key: UInt64) {
    xors ^= key
    sum &+= xors
  }
}

/// Where results go, so that none is optimised away.
@inline(never)
@_optimize(none)
package func keep(_ value: UInt64) {}
