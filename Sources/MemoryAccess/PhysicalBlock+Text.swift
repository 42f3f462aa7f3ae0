#if !hasFeature(Embedded)
  extension PhysicalBlock {
    /// The block in the middle of a sentence: `the block of order 3 at 0x8000`.
    package var text: String { "the block of order \(order) at \(address)" }
  }
#endif
