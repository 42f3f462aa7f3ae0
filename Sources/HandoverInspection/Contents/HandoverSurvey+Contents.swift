public import Handover
public import MemoryAccess

extension HandoverSurvey {
  /// Reads what the registered blobs hold, and checks what their records refer to as
  /// ``checkRecords(in:)`` does.
  ///
  /// - Complexity: O(bytes of the records · log leaves · orders in use), at most O(memory) of them.
  ///   Keeps no more than the limits of `options` allow, whatever the records say.
  public func contents<Memory: PhysicalMemory>(
    in memory: Memory, options: HandoverContents.Options = .init()
  ) -> HandoverContents {
    guard let pages else { return HandoverContents() }
    var walker = RecordWalker(
      memory, geometry: geometry, visitor: ContentsBuilder(memory, pages, options))
    for subtree in subtrees {
      walker.visitor.begin(subtree)
      walker.walk(subtree)
      walker.visitor.finish(head: head(of: subtree, in: memory))
    }
    return walker.visitor.contents
  }

  /// The first bytes of a blob; of one of unknown size, as many as its page has.
  private func head(of subtree: Subtree, in memory: some PhysicalMemory) -> [UInt8] {
    let address = subtree.subtree.address
    let mask = UInt64(geometry.pageByteCount) &- 1
    let inPage = UInt64(geometry.pageByteCount) &- address.rawValue & mask
    let limit = UInt64(SubtreeContents.largestHeadByteCount)
    let byteCount = min(limit, subtree.byteCount ?? inPage)
    guard let range = PhysicalRange(checkedStart: address, byteCount: byteCount) else { return [] }
    return memory.withBytes(in: range) { $0.copiedBytes() } ?? []
  }
}
