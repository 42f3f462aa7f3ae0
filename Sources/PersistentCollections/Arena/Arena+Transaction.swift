import MemoryAccess
internal import ProcessHandover
import Synchronization

// All or nothing, whatever happens: before a word is changed, it is noted in the ledger as it was. A
// transaction, of one collection or of several, ends with one store, of the control word. The process
// that adopts the memory after a crash puts back what is noted, the last change first; each step of
// that may be done twice.
//
// A piece that is allocated is noted before it exists, and freed with the undoing; one that is to be
// freed is noted before the end of the transaction, which makes the note valid, and freed after it.
// Both lists are in the ledger too, so the memory deals with them before it allocates anything.

extension Arena where Storage: ~Copyable {
  /// Changes a word of the collection; undone unless the transaction ends well.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)`` of a word that is not the collection's, which
  ///   only memory that another program wrote can cause.
  @inline(__always)
  mutating func set(_ word: UInt64, at address: UInt64) throws(PersistentCollectionError) {
    guard isOwn(address) else { throw .damaged(PhysicalAddress(address)) }
    try change(word, at: address)
  }

  /// Changes a word; undone unless the transaction ends well.
  @inline(__always)
  private mutating func change(
    _ word: UInt64, at address: UInt64
  ) throws(PersistentCollectionError) {
    let count = control.logCount
    guard count < LedgerLayout.logCapacity else { throw .transactionTooLarge }
    let memory = storage.memory
    let entry = ledger &+ LedgerLayout.log &+ UInt64(truncatingIfNeeded: count) &* 16
    memory.withWords(at: PhysicalAddress(address), count: 1) { target in
      memory.withWords(at: PhysicalAddress(entry), count: 2) {
        $0.publish(address, at: 0)
        $0.publish(target.load(0), at: 1)
      }
      control.logCount = count &+ 1
      publishControl()
      target.publish(word, at: 0)
    }
  }

  /// Changes a word of the ledger or of a chunk of its slots.
  mutating func setLedger(_ word: UInt64, at address: UInt64) throws(PersistentCollectionError) {
    try change(word, at: address)
  }

  @inline(__always)
  mutating func setRoot(_ word: UInt64, _ offset: UInt64) throws(PersistentCollectionError) {
    try set(word, at: root &+ offset)
  }

  @inline(__always)
  func publishControl() { publish(control.word, at: ledger &+ LedgerLayout.control) }

  /// Calls `body` as one change: on throw, nothing of it has happened.
  @inline(__always)
  mutating func transaction<Result>(
    _ body: (inout Self) throws(PersistentCollectionError) -> Result
  ) throws(PersistentCollectionError) -> Result {
    try begin()
    do throws(PersistentCollectionError) {
      let result = try body(&self)
      try end()
      return result
    } catch {
      try abandon(after: error)
      throw error
    }
  }

  @inline(__always)
  mutating func begin() throws(PersistentCollectionError) {
    if depth == 0 {
      // What an error left to be freed. Without an error, nothing is pending between transactions.
      if control.pendingFreeCount != 0 { try freePendingFrees() }
      if !ledgerIndex.isMade { try makeLedgerIndex() }
      countChange()
      // The rule of plain stores: a slot that the change before this one freed may get plain bytes now, and
      // they must not move above the store that ended that change. Publishing orders only what comes before
      // it. A killed process leaves what the processor has executed, so on x86 this is for the compiler alone.
      atomicMemoryFence(ordering: .acquiringAndReleasing)
    }
    depth &+= 1
  }

  /// Ends a transaction; an inner one becomes part of the outer.
  @inline(__always)
  mutating func end() throws(PersistentCollectionError) {
    if depth == 1 {
      // An operation inside failed, and its caller went on.
      if let failure { throw failure }
      if !unlinked.isEmpty { try freeUnlinked() }
      control = LedgerControl(pendingFreeCount: stagedPendingFreeCount)
      publishControl()
      stagedPendingFreeCount = 0
      depth = 0
      ledgerIndex.isChanged = false
      countChange()
      if control.pendingFreeCount != 0 { try? freePendingFrees() }
    } else {
      depth &-= 1
    }
  }

  /// Undoes a transaction whose `end` was not reached, or threw; of an inner one, the outermost
  /// does that, which the same error ends.
  mutating func abandon(
    after error: PersistentCollectionError
  ) throws(PersistentCollectionError) {
    depth = max(0, depth &- 1)
    failure = depth == 0 ? nil : error
    guard depth == 0 else { return }
    unlinked.removeAll(keepingCapacity: true)
    stagedPendingFreeCount = 0
    defer { if isChanging { countChange() } }
    try undo()
  }

  private mutating func freeUnlinked() throws(PersistentCollectionError) {
    let (root, owner) = (self.root, self.owner)
    defer { select(root: root, owner: owner) }
    while let object = unlinked.popLast() {
      select(root: object.root, owner: object.owner)
      try free(ObjectReference(in: object.object))
    }
  }

  // MARK: For readers in other processes

  private var isChanging: Bool { load(ledger &+ LedgerLayout.sequence) & 1 != 0 }

  /// Counts the beginning or the end of a change.
  @inline(__always)
  private func countChange() {
    let address = ledger &+ LedgerLayout.sequence
    publish(load(address) &+ 1, at: address)
    // A reader that sees a byte of the change also sees the new count.
    atomicMemoryFence(ordering: .acquiringAndReleasing)
  }

  // MARK: Undoing

  /// Checks that nothing is left to be undone: the memory was adopted.
  func checkControl() throws(PersistentCollectionError) {
    guard control.logCount == 0, control.pendingCount == 0 else {
      throw .damaged(PhysicalAddress(ledger &+ LedgerLayout.control))
    }
  }

  private mutating func undo() throws(PersistentCollectionError) {
    if control.pendingCount > 0 || ledgerIndex.isChanged { ledgerIndex = LedgerIndex() }
    for index in (0..<control.logCount).reversed() {
      // This process wrote them.
      let entry = ledger &+ LedgerLayout.log &+ UInt64(index) &* 16
      let address = load(entry)
      guard address & 7 == 0, address <= storage.memory.byteCount &- 8 else {
        throw .damaged(PhysicalAddress(entry))
      }
      publish(load(entry &+ 8), at: address)
    }
    control.logCount = 0
    publishControl()
    while control.pendingCount > 0 {
      let index = control.pendingCount &- 1
      try storage.freeIfAllocated(piece(in: LedgerLayout.pending, index))
      control.pendingCount = index
      publishControl()
    }
  }

  mutating func freePendingFrees() throws(PersistentCollectionError) {
    while control.pendingFreeCount > 0 {
      let index = control.pendingFreeCount &- 1
      try storage.freeIfAllocated(piece(in: LedgerLayout.pendingFrees, index))
      control.pendingFreeCount = index
      publishControl()
    }
  }

  private func piece(
    in list: UInt64, _ index: Int
  ) throws(PersistentCollectionError) -> PhysicalRange {
    let entry = ledger &+ list &+ UInt64(index) &* 16
    guard
      let range = PhysicalRange(
        checkedStart: PhysicalAddress(load(entry)), byteCount: load(entry &+ 8)),
      !range.isEmpty, storage.memory.contains(range)
    else { throw .damaged(PhysicalAddress(entry)) }
    return range
  }

  // MARK: Notes of pieces

  /// Allocates memory that is freed if the transaction is undone.
  ///
  /// - Parameter zeroed: whether it is filled with zeros; else it contains any bytes.
  mutating func allocateNoted(
    byteCount: UInt64, zeroed: Bool = true
  ) throws(PersistentCollectionError) -> PhysicalRange {
    let index = control.pendingCount
    guard index < LedgerLayout.pendingCapacity else { throw .transactionTooLarge }
    let entry = ledger &+ LedgerLayout.pending &+ UInt64(index) &* 16
    let memory = storage.memory
    let controlAddress = PhysicalAddress(ledger &+ LedgerLayout.control)
    let announced = LedgerControl(logCount: control.logCount, pendingCount: index &+ 1)
    do throws(PersistentCollectionError) {
      let piece = try storage.allocate(byteCount: byteCount, zeroed: zeroed) { range in
        memory.withWords(at: PhysicalAddress(entry), count: 2) {
          $0.publish(range.start.rawValue, at: 0)
          $0.publish(range.byteCount, at: 1)
        }
        memory.withWords(at: controlAddress, count: 1) { $0.publish(announced.word, at: 0) }
      }
      control = announced
      return piece
    } catch {
      publishControl()
      throw error
    }
  }

  /// Notes a piece that is freed once the transaction has ended well.
  mutating func recordPendingFree(
    _ address: UInt64, byteCount: UInt64
  ) throws(PersistentCollectionError) {
    guard stagedPendingFreeCount < LedgerLayout.pendingFreeCapacity else {
      throw .transactionTooLarge
    }
    let entry = ledger &+ LedgerLayout.pendingFrees &+ UInt64(stagedPendingFreeCount) &* 16
    publish(address, at: entry)
    publish(byteCount, at: entry &+ 8)
    stagedPendingFreeCount &+= 1
  }
}
