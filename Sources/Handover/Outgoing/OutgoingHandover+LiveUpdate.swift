public import MemoryAccess

// What the Live Update Orchestrator of a kernel finds: sessions of files, and of a memfd where its
// pages are. Linux frees each of these records by itself, so each has a block of its own.

extension OutgoingHandover where Anchor: ~Copyable {
  /// Allocates an area that holds `words`, and preserves it; an empty area for no words.
  ///
  /// - Throws: as ``allocatePreservedArea(blockCount:order:from:)``.
  /// - Complexity: O(words).
  public mutating func allocatePreservedArea<Frames: BlockSource & ~Copyable>(
    holding words: some RandomAccessCollection<UInt64>, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> VmallocArea {
    let perPage = geometry.pageWordCount
    if words.isEmpty { return VmallocArea(firstChunk: .zero, pageCount: 0, flags: 0) }
    let area = try allocatePreservedArea(
      blockCount: UInt64((words.count &+ perPage &- 1) / perPage), from: &frames)
    var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
    var rest = words[...]
    do throws(RecordError) {
      while let step = try blocks.next() {
        guard case .block(let block) = step else { continue }
        memory.withWords(at: block.address, count: perPage) { page in
          for (index, word) in rest.prefix(perPage).enumerated() { page.publish(word, at: index) }
        }
        rest = rest.dropFirst(perPage)
      }
    } catch {
      Panic.end("an area that was just written cannot be read")
    }
    return area
  }

  /// Writes the record of a memfd whose folios are preserved already, and preserves it.
  ///
  /// - Parameter frames: where frames come from.
  /// - Parameter position: the position in the file, in bytes.
  /// - Parameter byteSize: the size of the file, in bytes.
  /// - Parameter seals: the seals of the file, as `fcntl(2)` numbers them.
  /// - Parameter folios: in the order of their places in the file. Each is a block that is preserved
  ///   as one entry.
  /// - Returns: the record's address, for a ``LiveUpdateFile``.
  /// - Throws: as ``allocatePreserved(_:from:)`` and
  ///   ``allocatePreservedArea(blockCount:order:from:)``; nothing has changed.
  /// - Complexity: O(folios).
  public mutating func addMemfdRecord<Frames: BlockSource & ~Copyable>(
    byteSize: UInt64, position: UInt64 = 0, seals: UInt32 = 0, folios: [MemfdFolio],
    from frames: inout Frames
  ) throws(OutgoingHandoverError) -> PhysicalAddress {
    var words: [UInt64] = []
    words.reserveCapacity(folios.count &* 2)
    for folio in folios {
      words.append(folio.word(in: geometry))
      words.append(folio.pageIndex)
    }
    let block = try allocatePreserved(.zero, from: &frames)
    let area: VmallocArea
    do throws(OutgoingHandoverError) {
      area = try allocatePreservedArea(holding: words, from: &frames)
    } catch {
      try unpreserveAndFree(block, into: &frames)
      throw error
    }
    let record = MemfdRecord(
      position: position, byteSize: byteSize, seals: seals, folioCount: UInt64(folios.count),
      folios: area)
    memory.withMutableBytes(in: block.range(in: geometry)) { record.write(to: &$0) }
    return block.address
  }

  /// Adds the subtree of the Live Update Orchestrator, in the form "luo-v5", with `sessions`.
  ///
  /// - Parameter frames: where frames come from.
  /// - Parameter sessions: the sessions.
  /// - Parameter number: how many live updates there were, the coming one included.
  /// - Throws: as ``allocateRecords(recordByteCount:recordCount:from:)`` and
  ///   ``createSubtree(named:byteCount:from:_:)``. Records that were written before stay preserved
  ///   then, and nothing points to them.
  /// - Precondition: the names of sessions can be written: 1 to 63 bytes of UTF-8, none of them 0.
  /// - Complexity: O(sessions + files).
  public mutating func addLiveUpdate<Frames: BlockSource & ~Copyable>(
    number: UInt64, sessions: [(name: String, files: [LiveUpdateFile])], from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    var records = try allocateRecords(
      recordByteCount: LiveUpdateSession.byteCount, recordCount: UInt64(sessions.count),
      from: &frames)
    for (name, files) in sessions {
      var fileRecords = try allocateRecords(
        recordByteCount: LiveUpdateFile.byteCount, recordCount: UInt64(files.count), from: &frames)
      for file in files {
        let isWritten = fileRecords.append { file.write(to: &$0) }
        require(that: isWritten, "each file fits")
      }
      let session = LiveUpdateSession(
        name: name, files: fileRecords.first, fileCount: UInt64(files.count))
      let isWritten = records.append { session.write(to: &$0) }
      require(that: isWritten, "each session fits")
    }
    let first = records.first
    try createSubtree(
      named: LiveUpdateRecord.subtreeName, byteCount: UInt64(LiveUpdateRecord.byteCount),
      from: &frames
    ) { LiveUpdateRecord.write(number: number, sessions: first, to: &$0) }
  }
}
