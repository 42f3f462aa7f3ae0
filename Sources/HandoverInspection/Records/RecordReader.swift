import Handover
import MemoryAccess

/// Reads the known records of a handover, and shows a visitor each record and what it refers to.
///
/// In a sound handover no byte belongs to two records, so the reading ends when it has read as many
/// bytes as memory has: pointers that lead to the same records again and again cannot keep it busy.
struct RecordReader<Memory: PhysicalMemory, Visitor: RecordVisitor> {
  let memory: Memory
  let geometry: PageGeometry
  var visitor: Visitor
  /// The collections of the memory.
  let collections: FoundCollections<Memory>
  private var remainingByteCount: UInt64
  private var isStopped = false

  init(
    _ memory: Memory, geometry: PageGeometry, subtrees: [RootDeviceTree.Subtree], visitor: Visitor
  ) {
    self.memory = memory
    collections = FoundCollections(subtrees, in: memory)
    self.geometry = geometry
    self.visitor = visitor
    // What is read of a page that is not all there, or twice, as a header is.
    let slack: UInt64 = 1 << 20
    let (sum, overflow) = memory.byteCount.addingReportingOverflow(slack)
    remainingByteCount = overflow ? .max : sum
  }

  /// Reads `subtree`, if its name is known, or its bytes describe an area.
  mutating func read(_ subtree: HandoverSurvey.Subtree) {
    if visitor.enter(subtree) { readRecord(of: subtree) }
    visitor.leave(subtree)
  }

  private mutating func readRecord(of subtree: HandoverSurvey.Subtree) {
    let owner = RecordOwner.subtree(subtree.subtree.name)
    if collections.isLedger(subtree.subtree) { return readLedger(subtree.subtree, owner) }
    if collections.isRoot(subtree.subtree) { return readCollection(subtree.subtree) }
    guard KnownRecord.subtreeNames.contains(subtree.subtree.name) else {
      return readNamedArea(subtree, owner)
    }
    let limit = RecordBlob.largestByteCount(ofBlob: subtree.byteCount)
    guard spend(Int(min(subtree.byteCount ?? limit, limit))) else { return }
    do throws(RecordError) {
      switch subtree.subtree.name {
      case MemblockRecord.subtreeName: try readMemblock(subtree)
      case KexecMetadata.subtreeName: try readKexecMetadata(subtree)
      case KHOTestRecord.subtreeName: try readKHOTest(subtree, owner)
      case LiveUpdateRecord.subtreeName: try readLiveUpdate(subtree, owner)
      default: break
      }
    } catch {
      report(error, of: owner)
    }
  }

  // MARK: What the parts have in common

  /// Enters `record`, reads what is inside with `body`, and leaves it.
  mutating func within(
    _ record: KnownRecord, _ body: (inout Self) throws(RecordError) -> Void
  ) throws(RecordError) {
    let isRead = visitor.enter(record)
    defer { visitor.leave(record) }
    if isRead { try body(&self) }
  }

  /// The same; what is wrong with the record is reported before it is left.
  mutating func within(
    _ record: KnownRecord, reportingAs owner: RecordOwner,
    _ body: (inout Self) throws(RecordError) -> Void
  ) {
    let isRead = visitor.enter(record)
    defer { visitor.leave(record) }
    guard isRead else { return }
    do throws(RecordError) { try body(&self) } catch { report(error, of: owner) }
  }

  mutating func report(_ error: RecordError, of owner: RecordOwner) {
    if case .formatUnknown(let format) = error {
      visitor.report(.formatUnknown(owner, format))
    } else {
      visitor.report(.malformed(owner, error))
    }
  }

  /// Shows the visitor a reference; false when the reading is to end.
  mutating func refer(
    _ owner: RecordOwner, to range: PhysicalRange, as role: RecordReference.Role,
    order: PageOrder? = nil
  ) -> Bool {
    guard !isStopped else { return false }
    let reference = RecordReference(owner: owner, role: role, range: range, order: order)
    if !visitor.visit(reference) { isStopped = true }
    return !isStopped
  }

  /// Accounts for `byteCount` bytes that are to be read; false when the reading is to end.
  mutating func spend(_ byteCount: Int) -> Bool {
    guard !isStopped else { return false }
    guard remainingByteCount >= UInt64(byteCount) else {
      visitor.report(.moreRecordsThanMemory)
      isStopped = true
      return false
    }
    remainingByteCount &-= UInt64(byteCount)
    return true
  }

  /// Accounts for `byteCount` bytes that are read in addition; false, and nothing is accounted for, if that many are
  /// not left. Unlike ``spend(_:)``, this never ends the reading.
  mutating func spendSpare(_ byteCount: UInt64) -> Bool {
    guard !isStopped, remainingByteCount >= byteCount else { return false }
    remainingByteCount &-= byteCount
    return true
  }

  /// Refers to the chunks and blocks of `area`.
  mutating func readArea(_ area: VmallocArea, of owner: RecordOwner) throws(RecordError) {
    var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
    while let step = try blocks.next() {
      switch step {
      case .chunk(let chunk):
        guard spend(geometry.pageByteCount),
          refer(owner, to: geometry.page(at: chunk), as: .chunk)
        else { return }
      case .block(let block):
        guard refer(owner, to: block.range(in: geometry), as: .area) else { return }
      }
    }
  }

  /// Refers to what an area under a name of its own is made of, as processes preserve them.
  ///
  /// Nothing says that a blob is the descriptor of one. So the blob must be as long as one, and lead
  /// to chunks with as many blocks as it says; what leads anywhere else is not one.
  private mutating func readNamedArea(_ subtree: HandoverSurvey.Subtree, _ owner: RecordOwner) {
    guard subtree.byteCount == UInt64(VmallocArea.byteCount) else { return }
    do throws(RecordError) {
      let area = try memory.withRecord(
        at: subtree.subtree.address, byteCount: VmallocArea.byteCount
      ) { (bytes) throws(RecordError) in try VmallocArea(parsing: bytes, in: geometry) }
      guard area.firstChunk != .zero, area.flags != 0 else { return }
      var blocks = VmallocBlocks(area, in: memory, geometry: geometry)
      while let step = try blocks.next() {
        if case .chunk = step, !spend(geometry.pageByteCount) { return }
      }
      try within(.area(area)) { (reader) throws(RecordError) in
        try reader.readArea(area, of: owner)
      }
    } catch {
      // Not an area, and it does not claim to be one.
    }
  }

  // MARK: memblock, kexec-metadata, kho_test

  private mutating func readMemblock(_ subtree: HandoverSurvey.Subtree) throws(RecordError) {
    let record = try MemblockRecord(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory)
    try within(.memblock(record)) { (reader) throws(RecordError) in
      for region in record.regions {
        let owner = RecordOwner.region(region.name)
        switch region.result {
        case .success(let region):
          guard reader.refer(owner, to: region.range, as: .region) else { return }
        case .failure(let error):
          reader.report(error, of: owner)
        }
      }
    }
  }

  private mutating func readKexecMetadata(
    _ subtree: HandoverSurvey.Subtree
  ) throws(RecordError) {
    let record = try KexecMetadata(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory)
    try within(.kexecMetadata(record)) { (_) throws(RecordError) in }
  }

  private mutating func readKHOTest(
    _ subtree: HandoverSurvey.Subtree, _ owner: RecordOwner
  ) throws(RecordError) {
    let record = try KHOTestRecord(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory, geometry: geometry)
    try within(.khoTest(record)) { (reader) throws(RecordError) in
      try reader.readArea(record.folios, of: owner)
      var folios = KHOTestFolios(of: record, in: reader.memory, geometry: reader.geometry)
      while reader.spend(8), let folio = try folios.next() {
        try reader.within(.khoTestFolio(folio)) { (_) throws(RecordError) in }
        let range = folio.range(in: reader.geometry)
        guard reader.refer(owner, to: range, as: .folio, order: folio.order) else { return }
      }
    }
  }
}
