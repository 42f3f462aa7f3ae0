#if !hasFeature(Embedded)
  extension RadixTreeError: CustomStringConvertible {
    /// What was found and where, as a part of a sentence.
    public var description: String {
      switch self {
      case .outOfFrames(let level):
        "no page frame is left for a node of level \(level); free memory first"
      case .keyOutsideTree(let key):
        "key 0x\(String(key.rawValue, radix: 16)) is not the key of a block that the tree has a bit for"
      }
    }
  }
#endif
