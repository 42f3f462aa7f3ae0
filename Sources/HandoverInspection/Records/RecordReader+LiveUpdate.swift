import Handover
import MemoryAccess

extension RecordReader {
  /// Reads the record of the Live Update Orchestrator: its shared data, then session by session.
  mutating func readLiveUpdate(
    _ subtree: HandoverSurvey.Subtree, _ owner: RecordOwner
  ) throws(RecordError) {
    let record = try LiveUpdateRecord(
      at: subtree.subtree.address, byteCount: subtree.byteCount, in: memory)
    try within(.liveUpdate(record)) { (reader) throws(RecordError) in
      if record.sharedData != .zero {
        do throws(RecordError) {
          try reader.readSharedData(record.sharedData, owner)
        } catch {
          reader.report(error, of: owner)
        }
      }
      guard let records = try record.sessionRecords(in: reader.memory) else { return }
      try reader.readRecords(records, byteCount: LiveUpdateSession.byteCount, of: owner) {
        (reader, place) throws(RecordError) in
        reader.readSession(try LiveUpdateSession(at: place, in: reader.memory), record.format)
      }
    }
  }

  private mutating func readSharedData(
    _ address: PhysicalAddress, _ owner: RecordOwner
  ) throws(RecordError) {
    let header = try LiveUpdateSharedDataHeader(at: address, in: memory, geometry: geometry)
    try readRecords(header.records, byteCount: LiveUpdateSharedData.byteCount, of: owner) {
      (reader, place) throws(RecordError) in
      let shared = try LiveUpdateSharedData(at: place, in: reader.memory)
      let owner = RecordOwner.sharedData(shared.name)
      reader.within(.sharedData(shared), reportingAs: owner) { (reader) throws(RecordError) in
        // What the word means is known only to the handler that wrote it.
        reader.visitor.visit(shared.data, notedBy: owner)
        throw .formatUnknown(shared.name)
      }
    }
  }

  private mutating func readSession(
    _ session: LiveUpdateSession, _ format: LiveUpdateRecord.Format
  ) {
    let owner = RecordOwner.session(session.name)
    within(.session(session), reportingAs: owner) { (reader) throws(RecordError) in
      let records = try session.fileRecords(format)
      let count = try reader.readRecords(
        records, byteCount: LiveUpdateFile.byteCount, of: owner
      ) { (reader, place) throws(RecordError) in
        reader.readFile(try LiveUpdateFile(at: place, in: reader.memory), of: session)
      }
      if let count, count != session.fileCount {
        throw .elementCountDiffers(session.fileCount, found: count)
      }
    }
  }

  private mutating func readFile(_ file: LiveUpdateFile, of session: LiveUpdateSession) {
    let owner = RecordOwner.file(session: session.name, token: file.token)
    within(.file(file), reportingAs: owner) { (reader) throws(RecordError) in
      guard file.isMemfd else {
        reader.visitor.visit(file.data, notedBy: owner)
        throw .formatUnknown(file.handler)
      }
      try reader.readMemfd(at: PhysicalAddress(file.data), of: owner)
    }
  }

  private mutating func readMemfd(
    at address: PhysicalAddress, of owner: RecordOwner
  ) throws(RecordError) {
    guard spend(MemfdRecord.byteCount) else { return }
    let byteCount = UInt64(MemfdRecord.byteCount)
    guard let range = PhysicalRange(checkedStart: address, byteCount: byteCount) else {
      throw .rangeImpossible(start: address, byteCount: byteCount)
    }
    // Linux allocates a page for each record, and frees it as one.
    guard geometry.isPageAligned(address) else { throw .pointerUnaligned(address, in: nil) }
    guard refer(owner, to: range, as: .records) else { return }
    let record = try MemfdRecord(at: address, in: memory, geometry: geometry)
    try within(.memfd(record)) { (reader) throws(RecordError) in
      try reader.readArea(record.folios, of: owner)
      var folios = MemfdFolios(of: record, in: reader.memory, geometry: reader.geometry)
      while reader.spend(MemfdFolio.byteCount), let folio = try folios.next() {
        try reader.within(.memfdFolio(folio)) { (_) throws(RecordError) in }
        if folio.isHole { continue }
        let page = reader.geometry.page(at: folio.address)
        guard reader.refer(owner, to: page, as: .folio) else { return }
      }
    }
  }

  /// Refers to the pages of `records` and calls `body` with the place of each record.
  ///
  /// Where one is malformed, those behind it are not read: they would be, too.
  ///
  /// - Returns: the number of records; nil when the reading is to end.
  @discardableResult
  private mutating func readRecords(
    _ records: SerializedRecords, byteCount: Int, of owner: RecordOwner,
    _ body: (inout Self, PhysicalAddress) throws(RecordError) -> Void
  ) throws(RecordError) -> UInt64? {
    var cursor = SerializedRecordCursor(
      records, recordByteCount: byteCount, in: memory, geometry: geometry)
    var count: UInt64 = 0
    var block: (range: PhysicalRange, nextPlace: PhysicalAddress)?
    while let step = try cursor.next() {
      switch step {
      case .pages(let range):
        checkRest(of: block, owner)
        guard refer(owner, to: range, as: .records) else { return nil }
        let header = if case .run(_, let byteCount, _) = records { byteCount } else { 0 }
        block = (range, range.start.advanced(byBytes: UInt64(header)))
      case .record(let place):
        guard spend(byteCount) else { return nil }
        block?.nextPlace = place.advanced(byBytes: UInt64(byteCount))
        try body(&self, place)
        count &+= 1
      }
    }
    checkRest(of: block, owner)
    return count
  }

  /// Checks the bytes between the last record of a block or run and the end of its page, which Linux allocates as
  /// zeros.
  private mutating func checkRest(
    of block: (range: PhysicalRange, nextPlace: PhysicalAddress)?, _ owner: RecordOwner
  ) {
    guard let (range, place) = block, let last = range.last, place > range.start else { return }
    let end = last.rawValue | UInt64(geometry.pageByteCount &- 1)
    guard place.rawValue <= end else { return }
    let byteCount = end &- place.rawValue &+ 1
    // A damaged count of pages must not end the reading of other records.
    guard spendSpare(byteCount) else { return }
    let rest = PhysicalRange(start: place, byteCount: byteCount)
    let isEmpty = memory.withBytes(in: rest) { bytes in
      for offset in 0..<bytes.byteCount where bytes.byte(at: offset) ?? 0 != 0 { return false }
      return true
    }
    if isEmpty == false { visitor.report(.recordsUncounted(owner, block: range.start)) }
  }
}
