extension RadixTreeError {
  /// What went wrong, in one sentence without numbers: for consoles that cannot make strings.
  public var summary: StaticString {
    switch self {
    case .outOfFrames: "No page frame is left for a node of the tree."
    case .keyOutsideTree: "The key names no block that the tree has a place for."
    }
  }
}
