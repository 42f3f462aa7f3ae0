import MemoryAccess

/// A node of an ordered map, an object of its own.
///
///     byte  0  mark 2, level 2, number of entries 4
///           8  0
///          16  entries, 24 bytes each in an inner node, 16 in a leaf:
///              the first 8 bytes of the key, as a big-endian number
///              the object with the key: the entry itself in a leaf, a separator in an inner node
///              in an inner node, the child
///
/// All keys under child i are at least separator i and less than separator i + 1. The first child has
/// no separator: its prefix and its object are 0. A node is never changed but for the words of its
/// objects and children: what gets another number of entries is written anew.
struct TreeNode {
  static let mark: UInt64 = 0xb7ee
  static let headerByteCount: UInt64 = 16
  static let leafCapacity = 62
  static let innerCapacity = 41
  /// With fewer entries, a node is merged with a neighbour, where both fit into one.
  static let leafMinimum = 20
  static let innerMinimum = 13
  /// No tree of memory that exists is higher.
  static let heightLimit = 24

  var level: Int
  var entries: [TreeEntry]

  var capacity: Int { Self.capacity(level) }
  var minimum: Int { level == 0 ? Self.leafMinimum : Self.innerMinimum }

  static func capacity(_ level: Int) -> Int { level == 0 ? leafCapacity : innerCapacity }
  static func entryByteCount(_ level: Int) -> UInt64 { level == 0 ? 16 : 24 }
  static func byteCount(_ level: Int, count: Int) -> Int {
    Int(headerByteCount) + count * Int(entryByteCount(level))
  }

  static func header(level: Int, count: Int) -> UInt64 {
    mark << 48 | UInt64(level) << 32 | UInt64(count)
  }
}

/// An entry of a node.
struct TreeEntry: Equatable {
  /// The first bytes of the key.
  var prefix: UInt64
  /// The object with the key.
  var object: UInt64
  /// The child; 0 in a leaf.
  var child: UInt64 = 0
}

/// Where the search for a key came along: the nodes from the root to the leaf, and the entry in each.
struct TreePath {
  var steps: [Step] = []
  /// Whether the leaf's entry is that of the key.
  var isFound = false

  struct Step {
    var node: UInt64
    var index: Int
    var count: Int
  }
}

/// The first 8 bytes of a key as a number that compares as they do; zeros where the key is shorter.
func keyPrefix(_ bytes: RawSpan) -> UInt64 {
  if let word = bytes.plainWord(atByte: 0) { return UInt64(bigEndian: word) }
  var prefix: UInt64 = 0
  for offset in 0..<min(8, bytes.byteCount) {
    prefix |= UInt64(bytes.byte(at: offset) ?? 0) &<< UInt64(56 &- offset &* 8)
  }
  return prefix
}
