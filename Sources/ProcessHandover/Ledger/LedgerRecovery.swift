import Handover
import MemoryAccess
import PreservedPages

/// Undoes or completes the change of collections that a predecessor was killed in.
///
/// The memory does this when it is adopted, before any memory can be allocated, so what the ledger names
/// cannot have become something else meanwhile. The ledger may contain anything: everything is checked
/// before the first store.
///
/// - Words are put back only in pieces that collections had before the change, in pieces that the change
///   allocated, and in the ledger's own slots.
/// - Pieces are freed only where no collection has them, and where they are not named, not the device
///   tree's, and allocated exactly like that.
struct LedgerRecovery<Memory: WritablePhysicalMemory> {
  private let memory: Memory
  private let ledger: MemoryLedger
  /// The words of the ledger's slots as they were before the change.
  private var before: [UInt64: UInt64] = [:]
  /// What collections had before the change, by address.
  private var pieces: [LedgerPiece] = []
  private var pending: [PhysicalRange] = []
  private var pendingFrees: [PhysicalRange] = []

  /// Reads what is to be done, and changes nothing.
  ///
  /// - Parameter mayHave: whether collections can have the bytes, and whether these are the root of one.
  /// - Throws: ``LedgerDamage``.
  /// - Complexity: O(log + pieces · log pieces).
  init(
    _ ledger: MemoryLedger, in memory: Memory, mayHave: (PhysicalRange) -> Bool
  ) throws(LedgerDamage) {
    self.memory = memory
    self.ledger = ledger
    readSlotsBefore()
    pieces = try ledger.pieces(word).sorted { $0.range.start < $1.range.start }
    try checkPieces()
    pending = try ledger.ranges(
      at: LedgerLayout.pending, count: ledger.control.pendingCount, word)
    pendingFrees = try ledger.ranges(
      at: LedgerLayout.pendingFrees, count: ledger.control.pendingFreeCount, word)
    try checkLists()
    try checkLog(mayHave)
  }

  /// Puts back the words, and frees the pieces.
  ///
  /// - Throws: the error of `free`; what was done by then is done again by the next one, without harm.
  func run<Failure: Error>(
    freeIfAllocated free: (PhysicalRange) throws(Failure) -> Void
  ) throws(Failure) {
    var control = ledger.control
    for index in (0..<control.logCount).reversed() {
      let entry = logEntry(index)
      store(memory.ledgerWord(at: entry &+ 8) ?? 0, at: memory.ledgerWord(at: entry) ?? 0)
    }
    control.logCount = 0
    publish(control)
    for range in pending.reversed() {
      try free(range)
      control.pendingCount &-= 1
      publish(control)
    }
    for range in pendingFrees.reversed() {
      try free(range)
      control.pendingFreeCount &-= 1
      publish(control)
    }
    // No change is being made any more.
    let sequence = ledger.sequence
    store(sequence &+ (sequence & 1), at: ledger.start &+ LedgerLayout.sequence)
  }

  private func store(_ word: UInt64, at address: UInt64) {
    memory.withWords(at: PhysicalAddress(address), count: 1) { $0.publish(word, at: 0) }
  }

  private func publish(_ control: LedgerControl) {
    store(control.word, at: ledger.start &+ LedgerLayout.control)
  }

  private func logEntry(_ index: Int) -> UInt64 {
    ledger.start &+ LedgerLayout.log &+ UInt64(index) &* 16
  }

  /// A word as it was before the change, where it is one of the slots'.
  private func word(_ address: UInt64) -> UInt64? {
    before[address] ?? memory.ledgerWord(at: address)
  }

  // MARK: Checks

  /// Notes what the log says about words that were in the ledger or may have been slots.
  private mutating func readSlotsBefore() {
    for index in (0..<ledger.control.logCount).reversed() {
      let entry = logEntry(index)
      guard let address = memory.ledgerWord(at: entry) else { continue }
      before[address] = memory.ledgerWord(at: entry &+ 8)
    }
    // What a list or the log itself contains is not changed by a change.
    let fixed = ledger.start..<ledger.start &+ LedgerLayout.byteCount
    before = before.filter { !fixed.contains($0.key) || isSlotWord($0.key) }
  }

  /// Whether a change may change a word of the ledger's region.
  private func isSlotWord(_ address: UInt64) -> Bool {
    let offset = address &- ledger.start
    return offset == LedgerLayout.nextOwner
      || (LedgerLayout.chunks..<4096).contains(offset)
      || (LedgerLayout.slots..<LedgerLayout.log).contains(offset)
  }

  /// No piece overlaps another or the ledger, and every chunk of slots is a piece of the ledger's.
  private func checkPieces() throws(LedgerDamage) {
    var last: PhysicalAddress?
    for piece in pieces {
      if let last, piece.range.start <= last { throw damage(piece) }
      if piece.range.overlaps(ledger.region) { throw damage(piece) }
      last = piece.range.last
    }
    for chunk in 1..<LedgerLayout.chunkLimit {
      guard let start = try ledger.chunkStart(chunk, word) else { return }
      let range = PhysicalRange(
        start: PhysicalAddress(start), byteCount: LedgerLayout.byteCount(ofChunk: chunk))
      guard let piece = piece(holding: range.start), piece.range.contains(range),
        piece.owner == LedgerLayout.ledgerOwner
      else { throw LedgerDamage(address: range.start) }
    }
  }

  private func damage(_ piece: LedgerPiece) -> LedgerDamage {
    LedgerDamage(address: PhysicalAddress(piece.slot))
  }

  /// Nothing that a collection keeps is freed.
  private func checkLists() throws(LedgerDamage) {
    for (list, ranges) in [
      (LedgerLayout.pending, pending), (LedgerLayout.pendingFrees, pendingFrees),
    ] {
      for (index, range) in ranges.enumerated() {
        if range.overlaps(ledger.region) || piece(overlapping: range) != nil {
          throw LedgerDamage(
            address: PhysicalAddress(ledger.start &+ list &+ UInt64(index) &* 16))
        }
      }
    }
  }

  /// Every word that is put back is one of a collection's.
  private func checkLog(_ mayHave: (PhysicalRange) -> Bool) throws(LedgerDamage) {
    var latest: PhysicalRange?
    for index in 0..<ledger.control.logCount {
      let entry = logEntry(index)
      let damage = LedgerDamage(address: PhysicalAddress(entry))
      guard let address = memory.ledgerWord(at: entry), address & 7 == 0,
        memory.ledgerWord(at: address) != nil
      else { throw damage }
      if ledger.region.contains(PhysicalAddress(address)) {
        guard isSlotWord(address) else { throw damage }
        continue
      }
      if latest?.contains(PhysicalAddress(address)) == true { continue }
      if let piece = piece(holding: PhysicalAddress(address)) {
        guard mayHave(piece.range) else { throw damage }
        latest = piece.range
      } else if let range = pending.first(where: { $0.contains(PhysicalAddress(address)) }) {
        // A piece that was announced and not allocated has no words in the log.
        guard mayHave(range) else { throw damage }
        latest = range
      } else {
        throw damage
      }
    }
  }

  /// The first piece that ends behind `address`, by address.
  private func index(endingBehind address: PhysicalAddress) -> Int {
    pieces.partitioningIndex { $0.range.last.map { $0 >= address } ?? true }
  }

  private func piece(holding address: PhysicalAddress) -> LedgerPiece? {
    let index = index(endingBehind: address)
    guard index < pieces.count, pieces[index].range.contains(address) else { return nil }
    return pieces[index]
  }

  private func piece(overlapping range: PhysicalRange) -> LedgerPiece? {
    let index = index(endingBehind: range.start)
    guard index < pieces.count, pieces[index].range.overlaps(range) else { return nil }
    return pieces[index]
  }
}
