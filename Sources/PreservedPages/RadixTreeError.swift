/// Why a radix tree refused to change. Nothing has changed then.
@nonexhaustive
public enum RadixTreeError: Error, Hashable, Sendable {
  /// The frame source had no frame for the node of `level` that was missing.
  case outOfFrames(level: Int)
  /// The key names no block, or the tree has no place for it.
  case keyOutsideTree(RadixKey)
}
