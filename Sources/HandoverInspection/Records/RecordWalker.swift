import Handover
import MemoryAccess

/// Reads the known records of a handover and tells a visitor what they refer to.
///
/// In a sound handover no byte belongs to two records, so the walk ends when it has read as many
/// bytes as memory has: pointers that lead to the same records again and again cannot keep it busy.
struct RecordWalker<Memory: PhysicalMemory, Visitor: RecordVisitor> {
  let memory: Memory
  let geometry: PageGeometry
  var visitor: Visitor
  private var remainingByteCount: UInt64
  private var isStopped = false

  init(_ memory: Memory, geometry: PageGeometry, visitor: Visitor) {
    self.memory = memory
    self.geometry = geometry
    self.visitor = visitor
    // What is read of a page that is not all there, or twice, as a header is.
    let slack: UInt64 = 1 << 20
    let (sum, overflow) = memory.byteCount.addingReportingOverflow(slack)
    remainingByteCount = overflow ? .max : sum
  }

  /// Reads `subtree`, if its name is known, or its bytes describe an area.
  mutating func walk(_ subtree: HandoverSurvey.Subtree) {
    let known = [
      MemblockRecord.subtreeName, KexecMetadata.subtreeName, KHOTestRecord.subtreeName,
      LiveUpdateRecord.subtreeName,
    ]
    let owner = RecordOwner.subtree(subtree.subtree.name)
    guard known.contains(subtree.subtree.name) else {
      return walkNamedArea(subtree, owner)
    }
    let limit = RecordBlob.largestByteCount(ofBlob: subtree.byteCount)
    guard spend(Int(min(subtree.byteCount ?? limit, limit))) else { return }
    do throws(RecordError) {
      switch subtree.subtree.name {
      case MemblockRecord.subtreeName: try walkMemblock(subtree)
      case KexecMetadata.subtreeName: try walkKexecMetadata(subtree)
      case KHOTestRecord.subtreeName: try walkKHOTest(subtree, owner)
      case LiveUpdateRecord.subtreeName: try walkLiveUpdate(subtree, owner)
      default: break
      }
    } catch {
      report(error, of: owner)
    }
  }

  // MARK: What the parts have in common

  mutating func report(_ error: RecordError, of owner: RecordOwner) {
    if case .formatUnknown(let format) = error {
      visitor.report(.formatUnknown(owner, format))
    } else {
      visitor.report(.malformed(owner, error))
    }
  }

  /// Tells the visitor of a reference; false when the walk is to end.
  mutating func refer(
    _ owner: RecordOwner, to range: PhysicalRange, as role: RecordReference.Role,
    order: PageOrder? = nil
  ) -> Bool {
    guard !isStopped else { return false }
    let reference = RecordReference(owner: owner, role: role, range: range, order: order)
    if !visitor.visit(reference) { isStopped = true }
    return !isStopped
  }

  /// Accounts for `byteCount` bytes that are to be read; false when the walk is to end.
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

  /// Refers to the chunks and blocks of `area`.
  mutating func walkArea(_ area: VmallocArea, of owner: RecordOwner) throws(RecordError) {
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
  private mutating func walkNamedArea(_ subtree: HandoverSurvey.Subtree, _ owner: RecordOwner) {
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
      visitor.visit(.area(area))
      try walkArea(area, of: owner)
    } catch {
      // Not an area, and it does not claim to be one.
    }
  }

  // MARK: memblock, kexec-metadata, kho_test

  private mutating func walkMemblock(_ subtree: HandoverSurvey.Subtree) throws(RecordError) {
    let record = try MemblockRecord(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory)
    visitor.visit(.memblock(record))
    for region in record.regions {
      let owner = RecordOwner.region(region.name)
      switch region.result {
      case .success(let region):
        guard refer(owner, to: region.range, as: .region) else { return }
      case .failure(let error):
        report(error, of: owner)
      }
    }
  }

  private mutating func walkKexecMetadata(
    _ subtree: HandoverSurvey.Subtree
  ) throws(RecordError) {
    let record = try KexecMetadata(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory)
    visitor.visit(.kexecMetadata(record))
  }

  private mutating func walkKHOTest(
    _ subtree: HandoverSurvey.Subtree, _ owner: RecordOwner
  ) throws(RecordError) {
    let record = try KHOTestRecord(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory, geometry: geometry)
    visitor.visit(.khoTest(record))
    try walkArea(record.folios, of: owner)
    var folios = KHOTestFolios(of: record, in: memory, geometry: geometry)
    while spend(8), let folio = try folios.next() {
      visitor.visit(.khoTestFolio(folio))
      guard refer(owner, to: folio.range(in: geometry), as: .folio, order: folio.order) else {
        return
      }
    }
  }
}
