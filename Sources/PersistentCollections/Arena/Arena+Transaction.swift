import MemoryAccess

// All or nothing, whatever happens: before a word is changed, it is noted as it was. A transaction
// ends with one store, of the control word. Whoever comes after a crash puts back what is noted, the
// last change first; each step of that may be done twice.
//
// Pieces of memory come from a storage that knows nothing of transactions. One that is allocated is
// noted before it exists, and freed with the undoing; one that is to be freed is noted before the end
// of the transaction, which makes the note valid, and freed after it.

extension Arena where Storage: ~Copyable {
  /// Changes a word; undone unless the transaction ends well.
  @inline(__always)
  mutating func set(_ word: UInt64, at address: UInt64) throws(PersistentCollectionError) {
    let count = control.logCount
    guard count < Int(RootLayout.logCapacity) else { throw .transactionTooLarge }
    let memory = storage.memory
    let entry = root &+ RootLayout.log &+ UInt64(truncatingIfNeeded: count) &* 16
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

  @inline(__always)
  mutating func setRoot(_ word: UInt64, _ offset: UInt64) throws(PersistentCollectionError) {
    try set(word, at: root &+ offset)
  }

  @inline(__always)
  func publishControl() { publish(control.word, at: root &+ RootLayout.control) }

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
    // What an error left to be freed; there is nothing else between transactions.
    if depth == 0, control.doomedCount != 0 { try freeDoomed() }
    depth &+= 1
  }

  /// Ends a transaction; an inner one becomes part of the outer.
  @inline(__always)
  mutating func end() throws(PersistentCollectionError) {
    if depth == 1 {
      // An operation inside failed, and whoever called it went on.
      if let failure { throw failure }
      if !unlinked.isEmpty { try freeUnlinked() }
      control = ControlWord(doomedCount: stagedDoomedCount)
      publishControl()
      stagedDoomedCount = 0
      depth = 0
      if control.doomedCount != 0 { try? freeDoomed() }
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
    stagedDoomedCount = 0
    try undo()
  }

  private mutating func freeUnlinked() throws(PersistentCollectionError) {
    while let object = unlinked.popLast() { try free(ObjectReference(in: object)) }
  }

  // MARK: After a crash

  /// Completes or undoes what a predecessor was killed in.
  ///
  /// - Complexity: O(1): bounded by the size of the log.
  mutating func recover() throws(PersistentCollectionError) {
    control = ControlWord(loadRoot(RootLayout.control))
    guard control.isPossible else { throw damagedRoot(RootLayout.control) }
    try undo()
    try freeDoomed()
  }

  private func damagedRoot(_ offset: UInt64) -> PersistentCollectionError {
    .damaged(PhysicalAddress(root &+ offset))
  }

  private mutating func undo() throws(PersistentCollectionError) {
    for index in (0..<control.logCount).reversed() {
      let entry = root &+ RootLayout.log &+ UInt64(index) &* 16
      let address = load(entry)
      guard address & 7 == 0,
        let word = PhysicalRange(checkedStart: PhysicalAddress(address), byteCount: 8),
        storage.memory.contains(word)
      else { throw .damaged(PhysicalAddress(entry)) }
      publish(load(entry &+ 8), at: address)
    }
    control.logCount = 0
    publishControl()
    while control.pendingCount > 0 {
      let index = control.pendingCount &- 1
      try storage.freeIfAllocated(piece(in: RootLayout.pending, index))
      control.pendingCount = index
      publishControl()
    }
  }

  mutating func freeDoomed() throws(PersistentCollectionError) {
    while control.doomedCount > 0 {
      let index = control.doomedCount &- 1
      try storage.freeIfAllocated(piece(in: RootLayout.doomed, index))
      control.doomedCount = index
      publishControl()
    }
  }

  private func piece(
    in list: UInt64, _ index: Int
  ) throws(PersistentCollectionError) -> PhysicalRange {
    let entry = root &+ list &+ UInt64(index) &* 16
    guard
      let range = PhysicalRange(
        checkedStart: PhysicalAddress(load(entry)), byteCount: load(entry &+ 8)),
      !range.isEmpty, storage.memory.contains(range)
    else { throw .damaged(PhysicalAddress(entry)) }
    return range
  }

  // MARK: Pieces of memory

  private func hasRoom(_ byteCount: UInt64) -> Bool {
    byteCount <= storageByteLimit
      && loadRoot(RootLayout.storageByteCount) <= storageByteLimit &- byteCount
  }

  /// Allocates a piece, filled with zeros; undone with the transaction.
  mutating func allocatePiece(
    byteCount: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    let index = control.pendingCount
    guard index < RootLayout.pendingCapacity else { throw .transactionTooLarge }
    if !hasRoom(byteCount) {
      // What is kept for the next slabs may make room for something else.
      guard try releaseFreeExtent(), hasRoom(byteCount) else { throw .limitReached }
    }
    let used = loadRoot(RootLayout.storageByteCount)
    let entry = root &+ RootLayout.pending &+ UInt64(index) &* 16
    let memory = storage.memory
    let logCount = control.logCount
    let controlAddress = PhysicalAddress(root &+ RootLayout.control)
    let announced = ControlWord(logCount: logCount, pendingCount: index &+ 1)
    let piece: PhysicalRange
    do throws(PersistentCollectionError) {
      piece = try storage.allocate(byteCount: byteCount) { range in
        memory.withWords(at: PhysicalAddress(entry), count: 2) {
          $0.publish(range.start.rawValue, at: 0)
          $0.publish(range.byteCount, at: 1)
        }
        memory.withWords(at: controlAddress, count: 1) { $0.publish(announced.word, at: 0) }
      }
    } catch {
      publishControl()
      throw error
    }
    control = announced
    try setRoot(used &+ piece.byteCount, RootLayout.storageByteCount)
    return piece.start.rawValue
  }

  /// Frees a piece once the transaction has ended well.
  mutating func doom(_ address: UInt64, byteCount: UInt64) throws(PersistentCollectionError) {
    guard stagedDoomedCount < RootLayout.doomedCapacity else { throw .transactionTooLarge }
    let entry = root &+ RootLayout.doomed &+ UInt64(stagedDoomedCount) &* 16
    publish(address, at: entry)
    publish(byteCount, at: entry &+ 8)
    stagedDoomedCount &+= 1
    let used = loadRoot(RootLayout.storageByteCount)
    try setRoot(used &- min(used, byteCount), RootLayout.storageByteCount)
  }
}
