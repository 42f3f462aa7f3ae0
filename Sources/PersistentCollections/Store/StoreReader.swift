internal import Handover
import MemoryAccess
internal import Platform
import ProcessHandover
import Synchronization
internal import SystemPackage

/// A store that another process has, opened only to be read.
///
/// The reader locks nothing and writes nothing. The ledger counts the beginning and the end of each change, and
/// its log has each word as it was before the change. While a change is being made, a read takes these words from
/// the log; it is repeated if the ledger has changed meanwhile. So it sees the state before a change or after it.
/// The bytes may be anything while they are read, and are checked like those of an untrusted file.
final class StoreReader: Sendable {
  let file: MemoryFile
  let ledger: MemoryLedger
  /// What identifies the memory.
  let identity: MemoryFileIdentity
  /// The number of attempts of a read.
  private static let attemptLimit = 100

  /// What must be the same before and after a read.
  private struct Instant: Equatable {
    let identity: UInt64
    let sequence: UInt64
    let control: UInt64
  }

  /// Opens the store in the file.
  ///
  /// - Throws: ``PersistentCollectionError``; ``PersistentCollectionError/notThisCollection`` of a memory
  ///   without collections.
  init(_ file: MemoryFile) throws(PersistentCollectionError) {
    self.file = file
    typealias Found = (ledger: MemoryLedger, identity: MemoryFileIdentity)
    let found = try Self.stable { () throws(PersistentCollectionError) -> Found? in
      let contents = try Self.contents(of: file)
      let ledger: MemoryLedger?
      do throws(LedgerDamage) {
        ledger = try MemoryLedger(among: contents.subtrees, in: file)
      } catch {
        throw PersistentCollectionError(error)
      }
      guard let ledger else { throw .notThisCollection }
      return (ledger, contents.identity)
    }
    ledger = found.ledger
    identity = found.identity
  }

  /// Calls `body` until it returns a value, at most 40 times. A change of the other process may make `body` throw,
  /// so only the error of the last attempt is thrown.
  private static func stable<Result>(
    _ body: () throws(PersistentCollectionError) -> Result?
  ) throws(PersistentCollectionError) -> Result {
    var failure = PersistentCollectionError.changing
    for attempt in 0..<40 {
      do throws(PersistentCollectionError) {
        if let result = try body() { return result }
        failure = .changing
      } catch {
        failure = error
      }
      pause(attempt)
    }
    throw failure
  }

  /// Lets the other process go on.
  private static func pause(_ attempt: Int) {
    if attempt < 8 { sched_yield() } else { usleep(UInt32(min(attempt, 200))) }
  }

  /// The names of the memory with what they name, and what identifies the memory.
  private static func contents(
    of file: MemoryFile
  ) throws(PersistentCollectionError) -> (
    subtrees: [RootDeviceTree.Subtree], identity: MemoryFileIdentity
  ) {
    do throws(MemoryFileError) { try file.noticeGrowth() } catch { throw .memory(.file(error)) }
    do throws(MemoryContentsError) {
      let contents = try MemoryContents(reading: file)
      guard contents.isDeviceTreeSound, let survey = contents.survey else {
        throw .deviceTreeChanged(contents.superblock.state.deviceTree)
      }
      return (survey.subtrees.map(\.subtree), contents.superblock.identity)
    } catch {
      throw .memory(.contents(error))
    }
  }

  // MARK: Reading

  /// Calls `body` with a view of the collection `root` at one instant; several times if another process changes
  /// the store meanwhile.
  ///
  /// - Throws: the error of `body`; ``PersistentCollectionError/notThisCollection`` if the collection
  ///   was removed; ``PersistentCollectionError/changing``.
  func read<Result>(
    _ root: CollectionRoot,
    _ body: (borrowing ByteMap<ViewStorage>) throws(PersistentCollectionError) -> Result
  ) throws(PersistentCollectionError) -> Result {
    let region = PhysicalRange(
      start: PhysicalAddress(root.start), byteCount: RootLayout.byteCount)
    return try atOneInstant { (view) throws(PersistentCollectionError) -> Result in
      let memory = view.view
      let found = try CollectionRoot(in: region, of: memory, ledger: ledger.identity)
      guard found.owner == root.owner, found.kind == root.kind else { throw .notThisCollection }
      // SAFETY: the bytes stay mapped as long as `file`, and `view` lives until `body` returns.
      let storage = unsafe ViewStorage(memory: ViewMemory(file.unsafeDirectMap, view))
      let map = ByteMap(
        arena: Arena(storage, ledger, root: root.start, owner: root.owner), sip: root.sip)
      guard map.arena.loadRoot(RootLayout.isBeingRemoved) == 0 else { throw .notThisCollection }
      return try body(map)
    }
  }

  /// Calls `body` with the memory at one instant; several times if it changes meanwhile.
  func atOneInstant<Result>(
    _ body: (SharedView) throws(PersistentCollectionError) -> Result
  ) throws(PersistentCollectionError) -> Result {
    for attempt in 0..<Self.attemptLimit {
      let instant = try instant()
      let byteCount = file.byteCount
      // SAFETY: the bytes stay mapped as long as `file`.
      var bounded = unsafe BoundedView(file.unsafeDirectMap, byteCount: byteCount)
      if instant.sequence & 1 != 0 { bounded.undo(ledger, LedgerControl(instant.control)) }
      let view = SharedView(bounded)
      var result: Swift.Result<Result, PersistentCollectionError>
      do throws(PersistentCollectionError) { result = .success(try body(view)) } catch {
        result = .failure(error)
      }
      atomicMemoryFence(ordering: .acquiringAndReleasing)
      if try self.instant() == instant {
        guard case .failure = result else { return try result.get() }
        // The missing bytes may be in a part by which the other process made the file larger.
        do throws(MemoryFileError) { try file.noticeGrowth() } catch { throw .memory(.file(error)) }
        if file.byteCount == byteCount { return try result.get() }
        result = .failure(.changing)
      }
      Self.pause(attempt)
    }
    throw .changing
  }

  private func instant() throws(PersistentCollectionError) -> Instant {
    let words = file.withBytes(
      in: PhysicalRange(start: PhysicalAddress(ledger.start), byteCount: 128)
    ) { bytes in
      [0, LedgerLayout.identityOffset, LedgerLayout.control, LedgerLayout.sequence].map {
        bytes.word(atByte: Int($0)) ?? 0
      }
    }
    guard let words, words[0] == LedgerLayout.magic, words[1] == ledger.identity else {
      throw .damaged(PhysicalAddress(ledger.start))
    }
    let instant = Instant(identity: words[1], sequence: words[3], control: words[2])
    atomicMemoryFence(ordering: .acquiringAndReleasing)
    return instant
  }

  // MARK: Collections

  /// The root of the collection called `name`.
  func root(
    _ name: String, _ kind: CollectionKind, types: (UInt64, UInt64)
  ) throws(PersistentCollectionError) -> CollectionRoot {
    let root = try Self.stable { () throws(PersistentCollectionError) -> CollectionRoot? in
      let subtrees = try Self.contents(of: file).subtrees
      guard let subtree = subtrees.first(where: { $0.name == name }),
        let region = PhysicalRange(
          checkedStart: subtree.address, byteCount: subtree.byteCount ?? 0)
      else { throw .memory(.noSuchName) }
      let root = try CollectionRoot(in: region, of: file, ledger: ledger.identity)
      // Without a number, its maker has not opened it yet.
      return root.owner == 0 ? nil : root
    }
    guard root.kind == kind else { throw .notThisCollection }
    let recorded = try read(root) { view throws(PersistentCollectionError) in
      (view.arena.loadRoot(RootLayout.keyType), view.arena.loadRoot(RootLayout.valueType))
    }
    guard recorded == types else { throw .notThisCollection }
    return root
  }

  /// What the store contains.
  func contents() throws(PersistentCollectionError) -> [CollectionSummary] {
    let subtrees = try Self.stable { () throws(PersistentCollectionError) in
      try Self.contents(of: file).subtrees
    }
    return try atOneInstant { view throws(PersistentCollectionError) in
      var summaries: [CollectionSummary] = []
      for subtree in subtrees {
        guard
          let region = PhysicalRange(
            checkedStart: subtree.address, byteCount: subtree.byteCount ?? 0),
          let root = try? CollectionRoot(in: region, of: view.view, ledger: ledger.identity)
        else { continue }
        summaries.append(
          CollectionSummary(subtree.name, root) {
            view.view.ledgerWord(at: root.start &+ $0) ?? 0
          })
      }
      return summaries
    }
  }

  /// Calls `body`, which copies all of the memory, until the memory did not change meanwhile.
  ///
  /// A copy may contain a change that is not complete: the process that opens the copy undoes it.
  ///
  /// - Returns: nil if the memory changed during each attempt.
  func whileUnchanged<Result, Failure: Error>(
    attempts: Int, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    for attempt in 0..<attempts {
      let state = try? SuperblockContents(reading: file).state.sequence
      if let state, let before = try? instant() {
        let result = try body()
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        if (try? instant()) == before,
          (try? SuperblockContents(reading: file).state.sequence) == state
        {
          return result
        }
      }
      Self.pause(attempt * 10)
    }
    return nil
  }
}
