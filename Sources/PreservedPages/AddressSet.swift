import MemoryAccess

/// A set of numbers, without hashing: a crit-bit tree in one array.
///
/// The core brings no hash tables: those of the standard library need floating point and random numbers,
/// which a freestanding program would have to provide. Here a number takes 24 bytes, and a look-up goes
/// through as many nodes as the numbers differ in bits, 64 at most, whatever the numbers are.
///
///     node   bit 13 ─┬─► node   bit 5 ─┬─► leaf 0x1000     each node splits the numbers below it
///                    │                 └─► leaf 0x1020     by the highest bit in which they differ
///                    └─► leaf 0x4000
struct AddressSet: Sendable {
  /// A split, or one number.
  private struct Node {
    /// The number of a leaf; of a split, any number below it.
    let value: UInt64
    /// The bit of a split; -1 of a leaf.
    let bit: Int8
    /// Where the numbers without the bit are, and those with it.
    var children: (UInt32, UInt32)
  }

  private var nodes: [Node] = []
  private var root: UInt32 = 0

  /// Adds `value`.
  ///
  /// - Returns: whether it is new.
  /// - Complexity: O(log *n*) for numbers that are spread evenly, at most 64 steps.
  mutating func insert(_ value: UInt64) -> Bool {
    guard !nodes.isEmpty else {
      nodes.append(Node(value: value, bit: -1, children: (0, 0)))
      return true
    }
    var index = Int(root)
    while nodes[index].bit >= 0 { index = Int(child(of: index, towards: value)) }
    let differing = nodes[index].value ^ value
    if differing == 0 { return false }
    require(that: nodes.count < Int(UInt32.max) &- 2, "more numbers than a set holds")
    let bit = 63 &- differing.leadingZeroBitCount
    let leaf = UInt32(nodes.count)
    nodes.append(Node(value: value, bit: -1, children: (0, 0)))
    // The new split goes above the first node whose bit is lower than its own.
    var parent: Int?
    var below = root
    while Int(nodes[Int(below)].bit) > bit {
      parent = Int(below)
      below = child(of: Int(below), towards: value)
    }
    let isSet = value &>> UInt64(bit) & 1 != 0
    let split = UInt32(nodes.count)
    nodes.append(
      Node(value: value, bit: Int8(bit), children: isSet ? (below, leaf) : (leaf, below)))
    if let parent {
      if value &>> UInt64(nodes[parent].bit) & 1 != 0 {
        nodes[parent].children.1 = split
      } else {
        nodes[parent].children.0 = split
      }
    } else {
      root = split
    }
    return true
  }

  /// Whether `value` was added.
  ///
  /// - Complexity: as ``insert(_:)``.
  func contains(_ value: UInt64) -> Bool {
    guard !nodes.isEmpty else { return false }
    var index = Int(root)
    while nodes[index].bit >= 0 { index = Int(child(of: index, towards: value)) }
    return nodes[index].value == value
  }

  private func child(of index: Int, towards value: UInt64) -> UInt32 {
    let node = nodes[index]
    return value &>> UInt64(node.bit) & 1 != 0 ? node.children.1 : node.children.0
  }
}
