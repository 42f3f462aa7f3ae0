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
    let reader = readRecords(
      in: memory,
      ContentsReader(
        memory, pages, findsRuns: options.keepsPageMaps, readsFolios: options.readsFolios,
        ContentsKeeper(options)))
    return reader.receiver.contents(with: reader.findings)
  }
}
