import Handover
import MemoryAccess

extension RecordWalker {
  /// Reads the record of the Live Update Orchestrator: its shared data, then session by session.
  mutating func walkLiveUpdate(
    _ subtree: HandoverSurvey.Subtree, _ owner: RecordOwner
  ) throws(RecordError) {
    let record = try LiveUpdateRecord(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory)
    visitor.visit(.liveUpdate(record))
    if record.sharedData != .zero {
      do throws(RecordError) {
        try walkSharedData(record.sharedData, owner)
      } catch {
        report(error, of: owner)
      }
    }
    guard let records = try record.sessionRecords(in: memory) else { return }
    try walkRecords(records, byteCount: LiveUpdateSession.byteCount, of: owner) {
      (walker, place) throws(RecordError) in
      let session = try LiveUpdateSession(at: place, in: walker.memory)
      walker.walkSession(session, record.format)
    }
  }

  private mutating func walkSharedData(
    _ address: PhysicalAddress, _ owner: RecordOwner
  ) throws(RecordError) {
    let header = try LiveUpdateSharedDataHeader(at: address, in: memory, geometry: geometry)
    try walkRecords(header.records, byteCount: LiveUpdateSharedData.byteCount, of: owner) {
      (walker, place) throws(RecordError) in
      let shared = try LiveUpdateSharedData(at: place, in: walker.memory)
      // What it refers to, only the one who wrote it knows.
      walker.visitor.visit(.sharedData(shared))
      walker.visitor.visit(shared.data, notedBy: .sharedData(shared.name))
      walker.report(.formatUnknown(shared.name), of: .sharedData(shared.name))
    }
  }

  private mutating func walkSession(
    _ session: LiveUpdateSession, _ format: LiveUpdateRecord.Format
  ) {
    let owner = RecordOwner.session(session.name)
    visitor.visit(.session(session))
    do throws(RecordError) {
      let records = try session.fileRecords(format)
      let count = try walkRecords(
        records, byteCount: LiveUpdateFile.byteCount, of: owner
      ) { (walker, place) throws(RecordError) in
        let file = try LiveUpdateFile(at: place, in: walker.memory)
        walker.walkFile(file, of: session)
      }
      if let count, count != session.fileCount {
        throw .elementCountDiffers(session.fileCount, found: count)
      }
    } catch {
      report(error, of: owner)
    }
  }

  private mutating func walkFile(_ file: LiveUpdateFile, of session: LiveUpdateSession) {
    let owner = RecordOwner.file(session: session.name, token: file.token)
    visitor.visit(.file(file))
    do throws(RecordError) {
      guard file.isMemfd else {
        visitor.visit(file.data, notedBy: owner)
        throw .formatUnknown(file.handler)
      }
      try walkMemfd(at: PhysicalAddress(file.data), of: owner)
    } catch {
      report(error, of: owner)
    }
  }

  private mutating func walkMemfd(
    at address: PhysicalAddress, of owner: RecordOwner
  ) throws(RecordError) {
    guard spend(MemfdRecord.byteCount) else { return }
    let byteCount = UInt64(MemfdRecord.byteCount)
    guard let range = PhysicalRange(checkedStart: address, byteCount: byteCount) else {
      throw .rangeImpossible(start: address, byteCount: byteCount)
    }
    guard refer(owner, to: range, as: .records) else { return }
    let record = try MemfdRecord(at: address, in: memory, geometry: geometry)
    visitor.visit(.memfd(record))
    try walkArea(record.folios, of: owner)
    var folios = MemfdFolios(of: record, in: memory, geometry: geometry)
    while spend(MemfdFolio.byteCount), let folio = try folios.next() {
      visitor.visit(.memfdFolio(folio))
      if folio.isHole { continue }
      guard refer(owner, to: geometry.page(at: folio.address), as: .folio) else { return }
    }
  }

  /// Refers to the pages of `records` and calls `body` with the place of each record.
  ///
  /// Where one is malformed, those behind it are not read: they would be, too.
  ///
  /// - Returns: the number of records; nil when the walk is to end.
  @discardableResult
  private mutating func walkRecords(
    _ records: SerializedRecords, byteCount: Int, of owner: RecordOwner,
    _ body: (inout Self, PhysicalAddress) throws(RecordError) -> Void
  ) throws(RecordError) -> UInt64? {
    var cursor = SerializedRecordCursor(
      records, recordByteCount: byteCount, in: memory, geometry: geometry)
    var count: UInt64 = 0
    while let step = try cursor.next() {
      switch step {
      case .pages(let range):
        guard refer(owner, to: range, as: .records) else { return nil }
      case .record(let place):
        guard spend(byteCount) else { return nil }
        try body(&self, place)
        count &+= 1
      }
    }
    return count
  }
}
