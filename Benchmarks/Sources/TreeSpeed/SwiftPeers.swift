import BitCollections
import TreeWorkloads

/// The standard library's hash set of keys.
final class SetPeer: PageSet {
  let name = "Set"
  private var set: Set<UInt64> = []

  func clear() { set.removeAll(keepingCapacity: true) }
  // A walk goes through all of the table, and another workload may have made it large.
  func settle() { set = Set(Array(set)) }

  func insert(_ keys: Keys) -> UInt64 { count(keys, in: &set) { $0.insert($1).inserted } }
  func remove(_ keys: Keys) -> UInt64 { count(keys, in: &set) { $0.remove($1) != nil } }
  func contains(_ keys: Keys) -> UInt64 { count(keys, in: &set) { $0.contains($1) } }

  func walkHash() -> UInt64 {
    var hash = KeyHash()
    for key in set { hash.add(key) }
    return hash.sum
  }

  func forEachRun(_ body: (UInt64, UInt64) -> Void) {
    var runs = Runs()
    for key in set.sorted() { runs.add(key, body) }
    runs.end(body)
  }
}

/// swift-collections' flat array of bits, one for each order, since a frame number does not say how
/// large the block is.
final class BitSetPeer: PageSet {
  let name = "BitSet"
  private var orders = [BitSet](repeating: BitSet(), count: 53)

  func clear() { for order in orders.indices { orders[order] = BitSet() } }

  private static func split(_ key: UInt64) -> (order: Int, number: Int) {
    let top = 63 &- key.leadingZeroBitCount
    return (52 &- top, Int(truncatingIfNeeded: key ^ 1 << UInt64(top)))
  }

  func insert(_ keys: Keys) -> UInt64 {
    count(keys, in: &orders) {
      let (order, number) = Self.split($1)
      return $0[order].insert(number).inserted
    }
  }

  func remove(_ keys: Keys) -> UInt64 {
    count(keys, in: &orders) {
      let (order, number) = Self.split($1)
      return $0[order].remove(number) != nil
    }
  }

  func contains(_ keys: Keys) -> UInt64 {
    count(keys, in: &orders) {
      let (order, number) = Self.split($1)
      return $0[order].contains(number)
    }
  }

  func insertRange(first: UInt64, count: UInt64) {
    let (order, number) = Self.split(first)
    orders[order].formUnion(number..<number + Int(count))
  }

  func removeRange(first: UInt64, count: UInt64) {
    let (order, number) = Self.split(first)
    orders[order].subtract(number..<number + Int(count))
  }

  func walkHash() -> UInt64 {
    var hash = KeyHash()
    for order in orders.indices.reversed() {
      let mark: UInt64 = 1 << UInt64(52 - order)
      for number in orders[order] {
        hash.add(mark | UInt64(truncatingIfNeeded: number))
      }
    }
    return hash.sum
  }

  func forEachRun(_ body: (UInt64, UInt64) -> Void) {
    var runs = Runs()
    for order in orders.indices.reversed() {
      let mark: UInt64 = 1 << UInt64(52 - order)
      for number in orders[order] { runs.add(mark | UInt64(truncatingIfNeeded: number), body) }
    }
    runs.end(body)
  }
}

/// Joins keys that follow each other.
struct Runs {
  private var first: UInt64 = 0
  private var next: UInt64 = 0

  @inline(__always)
  mutating func add(_ key: UInt64, _ body: (UInt64, UInt64) -> Void) {
    if key == next, first != next {
      next &+= 1
      return
    }
    end(body)
    first = key
    next = key &+ 1
  }

  func end(_ body: (UInt64, UInt64) -> Void) {
    if first != next { body(first, next &- first) }
  }
}

/// For how many of `keys` `body` is true.
@inline(__always)
private func count<Value>(
  _ keys: Keys, in value: inout Value, _ body: (inout Value, UInt64) -> Bool
) -> UInt64 {
  var sum: UInt64 = 0
  switch keys {
  case .array(let keys):
    for key in keys where body(&value, key) { sum &+= 1 }
  case .sequence(let first, let step, let count):
    var key = first
    for _ in 0..<count {
      if body(&value, key) { sum &+= 1 }
      key &+= step
    }
  }
  return sum
}
