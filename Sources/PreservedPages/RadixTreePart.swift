import MemoryAccess

/// A part of a radix tree: whole leaves that follow each other.
///
/// Parts have nothing in common, so that each can be walked by a thread of its own while no thread changes
/// the tree; see ``RadixTree/parts(_:)``.
@frozen
public struct RadixTreePart: Hashable, Sendable {
  /// Keys from `start` up to `end`, both the first of a leaf.
  @usableFromInline
  let start: UInt64
  @usableFromInline
  let end: UInt64

  @inlinable
  init(start: UInt64, end: UInt64) {
    self.start = start
    self.end = end
  }
}

extension RadixTree {
  /// The whole tree.
  @inlinable
  var allLeaves: RadixTreePart { RadixTreePart(start: 0, end: geometry.keyEnd) }

  /// Cuts the tree into parts with as many leaves each, give or take one.
  ///
  /// - Returns: the parts in the order of their keys, at most `count`, fewer where there are fewer
  ///   leaves; one of an empty tree.
  /// - Precondition: `count` is 1 or more.
  /// - Complexity: O(tables · page size).
  public func parts(_ count: Int) -> [RadixTreePart] {
    require(that: count > 0, "a tree cut into no parts")
    var leafCount = 0
    forEachLeafStart { _ in leafCount += 1 }
    let partCount = max(min(count, leafCount), 1)
    var starts: [UInt64] = [0]
    var index = 0
    forEachLeafStart { start in
      // The n-th part begins at leaf n · leaves / parts.
      if starts.count < partCount, index == starts.count * leafCount / partCount {
        starts.append(start)
      }
      index += 1
    }
    let ends = starts.dropFirst() + [geometry.keyEnd]
    return zip(starts, ends).map { RadixTreePart(start: $0, end: $1) }
  }

  private func forEachLeafStart(_ body: (UInt64) -> Void) {
    forEachLeaf(in: allLeaves) { leaf, _ in body(leaf.firstKey.rawValue) }
  }
}
