public import Handover
public import MemoryAccess

extension HandoverSurvey {
  /// Checks the known records of the handover: that they can be read, and that all memory they
  /// refer to is preserved.
  ///
  /// Finds what entries alone cannot show: that some are missing although nothing is malformed. The
  /// records of a handover that could not be read (``error``) are not looked at; a handover that
  /// was received already may have intact entries and records that are overwritten since.
  ///
  /// - Complexity: O(bytes of the records · log leaves · orders in use), at most O(memory) of them.
  public func checkRecords<Memory: PhysicalMemory>(in memory: Memory) -> RecordFindingList {
    guard let pages, error == nil else { return RecordFindingList() }
    var checker = RecordChecker(memory, pages)
    checker.checksCollections = true
    return readRecords(in: memory, checker).findings
  }

  /// Calls `body` with everything that the known records of the handover refer to, as far as they
  /// can be read.
  ///
  /// - Complexity: O(bytes of the records), at most O(memory).
  public func forEachReference<Memory: PhysicalMemory>(
    in memory: Memory, _ body: (RecordReference) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      _ = readRecords(in: memory, ReferenceVisitor(body: body))
    }
  }

  /// Reads the known records.
  func readRecords<Memory: PhysicalMemory, Visitor: RecordVisitor>(
    in memory: Memory, _ visitor: Visitor
  ) -> Visitor {
    var reader = RecordReader(
      memory, geometry: geometry, subtrees: subtrees.map(\.subtree), visitor: visitor)
    for subtree in subtrees { reader.read(subtree) }
    return reader.visitor
  }
}

/// Passes on what records refer to.
private struct ReferenceVisitor: RecordVisitor {
  let body: (RecordReference) -> Void

  mutating func visit(_ reference: RecordReference) -> Bool {
    body(reference)
    return true
  }

  mutating func report(_ finding: RecordFinding) {}
}
