extension WritablePhysicalMemory {
  /// Copies words between pages that do not overlap. Each word is stored as a whole.
  ///
  /// - Complexity: O(`wordCount`).
  package func copyPages(
    from source: PhysicalAddress, to target: PhysicalAddress, wordCount: Int
  ) {
    withWords(at: source, count: wordCount) { from in
      withWords(at: target, count: wordCount) { to in
        for index in 0..<wordCount { to.publish(from.load(index), at: index) }
      }
    }
  }
}
