extension RadixTree {
  /// A reader of this tree that trusts nothing.
  public var reader: RadixTreeReader<Memory> {
    RadixTreeReader(memory, geometry: geometry, root: root)
  }

  /// Checks the whole tree as a stranger would: every pointer, every key, entries against each
  /// other and against the nodes.
  ///
  /// - Throws: the first finding of severity error.
  /// - Complexity: O(nodes · page size + runs); heap for each node.
  public func validate() throws(PreservedPagesFinding) {
    var survey = PreservedPagesSurvey(reader)
    _ = survey.sweep(in: memory, deviceTree: nil, covering: [])
    for finding in survey.findings.findings where finding.severity == .error { throw finding }
  }
}
