import MemoryAccess
public import ProcessHandover
public import SystemPackage

/// Collections that survive the process: any number of them in one memory, with transactions over all.
///
///     let store = try PersistentStore.open("/dev/shm/service")
///     let users = try store.map("users", of: (String.self, UInt64.self))
///     let visits = try store.orderedMap("visits", of: (UInt64.self, String.self))
///     try store.transaction {
///       try users.set((users["ann"] ?? 0) + 1, for: "ann")
///       try visits.set("ann", for: 1_700_000_000)
///     }
///
/// Opening takes the same time whatever its size, and nothing is loaded. A process that is killed at
/// any instruction, also by kill -9, leaves each change completely or not at all, and so does a transaction
/// over several collections. The process that opens the memory next completes or undoes what was being
/// done, before it can open any collection, so the order in which collections are opened does not
/// matter. The article on persistent
/// collections lists what survives what.
///
/// The store may be used from several threads: one writes at a time, any number read meanwhile, and a
/// thread that writes waits until the others have read. The collections are values that refer to the
/// store, cheap to copy and to keep. One process at a time has the store; others may read it meanwhile,
/// with ``openToRead(_:)``.
@safe
public final class PersistentStore: @unchecked Sendable {
  typealias Engine = ByteMap<PreservedStorage>

  // SAFETY of `@unchecked Sendable`: everything below is read while the lock is held for reading and
  // changed while it is held for writing.

  let lock = StoreLock()
  /// How the store of another process is read; nil if this process has the store.
  let reader: StoreReader?
  var engine: Engine?
  /// The bytes of the memory; they stay where they are as long as the store.
  var directMap: DirectMap
  let ledger: MemoryLedger
  private var opened: [String: CollectionRoot] = [:]
  /// The error of the caller's with which a transaction inside another one ended.
  private var abortCause: (any Error)?

  /// Opens the store in the memory file at `path`, or makes the file if it does not exist.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - byteCount: the size of a new file, in bytes; it takes storage as it is used.
  ///   - capacity: the size up to which the file grows by itself.
  /// - Throws: ``PersistentCollectionError``.
  public static func open(
    _ path: FilePath, byteCount: UInt64 = 64 << 20,
    growableTo capacity: UInt64 = PreservedMemory.standardCapacity
  ) throws(PersistentCollectionError) -> PersistentStore {
    let memory: PreservedMemory
    do throws(PreservedMemoryError) {
      memory = try PreservedMemory.open(path, byteCount: byteCount, growableTo: capacity)
    } catch {
      throw .memory(error)
    }
    return try PersistentStore(memory)
  }

  /// Opens the store in the memory file at `path` only to be read, while another process has it, or while
  /// no process does: for metrics, a copy, a look.
  ///
  /// Collections that are opened must exist. Each read shows the state before or after a change of the
  /// other process, never a part of one: a read is repeated if a change happened during it. A loop over
  /// `entries` reads a handful of entries at a time, each handful in one state. A transaction that is being
  /// made is not visible yet, and one in which a process was killed never is. A change throws
  /// ``PersistentCollectionError/readOnly``; a read throws ``PersistentCollectionError/changing`` if the
  /// other process changed the store during each of 100 attempts.
  ///
  /// The other process does not notice the reader. If it removes a collection, reads of that collection throw
  /// ``PersistentCollectionError/notThisCollection`` or ``PersistentCollectionError/damaged(_:)``. The reader
  /// does not notice if another file replaces the one at `path`.
  ///
  /// - Throws: ``PersistentCollectionError``.
  /// - Complexity: O(pages of the tree + names).
  public static func openToRead(
    _ path: FilePath
  ) throws(PersistentCollectionError) -> PersistentStore {
    let file: MemoryFile
    do throws(MemoryFileError) {
      file = try MemoryFile.openToRead(path, growableTo: PreservedMemory.standardCapacity)
    } catch {
      throw .memory(.file(error))
    }
    return PersistentStore(reading: try StoreReader(file))
  }

  private init(reading reader: StoreReader) {
    self.reader = reader
    ledger = reader.ledger
    engine = nil
    // SAFETY: a store with a reader does not use the map; and the reader keeps the file.
    directMap = unsafe reader.file.unsafeDirectMap
  }

  /// Whether the store was opened with ``openToRead(_:)``.
  public var isReadOnly: Bool { reader != nil }

  /// The store in `memory`, which the store has from now on.
  ///
  /// Memory that a power loss may have left with old pages is checked first: see `PreservedMemory.mayBeTorn`.
  ///
  /// - Throws: ``PersistentCollectionError``; the memory is let go of then.
  ///   ``PersistentCollectionError/damaged(_:)`` of a collection that is torn.
  /// - Complexity: O(1); O(entries) once after the kernel was started again, of a file on a disk.
  public init(_ memory: consuming PreservedMemory) throws(PersistentCollectionError) {
    var memory = memory
    if memory.mayBeTorn {
      try Self.checkStructure(of: memory.file)
      memory.confirmWhole()
    }
    let ledger: MemoryLedger
    do throws(PreservedMemoryError) { ledger = try memory.ledger() } catch { throw .memory(error) }
    let storage = PreservedStorage(memory)
    directMap = storage.memory
    self.ledger = ledger
    reader = nil
    engine = .some(
      Engine(arena: Arena(storage, ledger), sip: SipHash(key: (0, 0))))
    try engine!.arena.checkControl()
    try finishRemovals()
  }

  /// Checks all collections.
  private static func checkStructure(
    of file: MemoryFile
  ) throws(PersistentCollectionError) {
    let contents: MemoryContents
    do throws(MemoryContentsError) { contents = try MemoryContents(reading: file) } catch {
      throw .memory(.contents(error))
    }
    guard let inspection = try StoreInspection(contents, in: file) else { return }
    for collection in inspection.collections {
      if let finding = inspection.check(collection).findings.first { throw .damaged(finding.place) }
    }
  }

  // MARK: The memory

  /// Calls `body` with the memory under the store, for regions and values of one's own.
  ///
  /// - Precondition: the store is open.
  public func withMemory<Result, Failure: Error>(
    _ body: (inout PreservedMemory) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try lock.write { () throws(Failure) -> Result in
      requireOpen()
      defer {
        engine!.arena.storage.refresh()
        directMap = engine!.arena.storage.memory
      }
      return try body(&engine!.arena.storage.preserved)
    }
  }

  /// Gives the memory back, to hand it over to another process. The store cannot be used any more.
  ///
  /// - Precondition: the store is open, and no transaction is being made by this thread.
  public func close() -> PreservedMemory {
    var memory: PreservedMemory?
    lock.write {
      requireOpen()
      precondition(engine!.arena.depth == 0, "a store that is closed inside a transaction")
      memory = .some(engine.take()!.close().take())
    }
    return memory.take()!
  }

  /// Becomes `program`, which finds the store's memory with `PreservedMemory.inherited(_:growableTo:)`.
  ///
  /// - Throws: `SuccessorError`; the store is as usable as before then.
  public func exec(_ program: Successor) throws(SuccessorError) {
    try lock.write { () throws(SuccessorError) in
      requireOpen()
      try engine!.arena.storage.preserved.exec(program)
    }
  }

  func requireOpen() {
    precondition(reader == nil, "a store that was opened only to be read")
    switch engine {
    case .some: break
    case .none: preconditionFailure("a store that was closed")
    }
  }

  // MARK: Transactions

  /// Calls `body` as one change of all collections: after a crash in it, and where it throws, nothing of
  /// it has happened.
  ///
  /// Other threads wait until it ends; collections that `body` reads show its own changes. A transaction
  /// inside another one is a part of it.
  ///
  /// - Returns: the result of `body`.
  /// - Throws: the error of `body`; a ``PersistentCollectionError`` of an operation inside `body`, also
  ///   where `body` caught it, and ``PersistentCollectionError/transactionTooLarge`` beyond some 1,500
  ///   values.
  @discardableResult
  public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    if isReadOnly { throw PersistentCollectionError.readOnly }
    return try lock.write {
      requireOpen()
      try engine!.arena.begin()
      let result: Result
      do {
        result = try body()
        // A transaction inside this one threw, and `body` went on.
        if let cause = abortCause { throw cause }
        try engine!.arena.end()
      } catch {
        try abandon(error)
        throw error
      }
      return result
    }
  }

  private func abandon(_ error: any Error) throws(PersistentCollectionError) {
    let known = error as? PersistentCollectionError
    try engine!.arena.abandon(after: known ?? .transactionTooLarge)
    abortCause = engine!.arena.depth > 0 && known == nil ? error : nil
  }

  /// Calls `body` with the engine, which means the collection `root`.
  func write<Result>(
    _ root: CollectionRoot,
    _ body: (inout Engine) throws(PersistentCollectionError) -> Result
  ) throws(PersistentCollectionError) -> Result {
    if isReadOnly { throw .readOnly }
    return try lock.write { () throws(PersistentCollectionError) -> Result in
      requireOpen()
      engine!.use(root)
      defer { directMap = engine!.arena.storage.memory }
      return try body(&engine!)
    }
  }

  /// Calls `body` with a view of the collection `root`; several times if another process has the store and
  /// changes it meanwhile.
  @inline(__always)
  func read<Result>(
    _ root: CollectionRoot,
    _ body: (borrowing ByteMap<ViewStorage>) throws(PersistentCollectionError) -> Result
  ) throws(PersistentCollectionError) -> Result {
    if let reader { return try reader.read(root, body) }
    return try lock.read { () throws(PersistentCollectionError) -> Result in
      let view = ByteMap(
        arena: Arena(
          ViewStorage(memory: ViewMemory(directMap)), ledger, root: root.start, owner: root.owner),
        sip: root.sip)
      return try body(view)
    }
  }

  // MARK: Collections

  /// Opens the collection called `name`, whose keys and values are of the given types, or makes it.
  ///
  /// - Throws: as ``collection(_:_:types:)``; ``PersistentCollectionError/memory(_:)`` with
  ///   `typeNotPreservable` of a type with undefined bytes.
  func collection<Key: PersistentElement, Value: PersistentElement>(
    _ name: String, _ kind: CollectionKind, _ key: Key.Type, _ value: Value.Type
  ) throws(PersistentCollectionError) -> CollectionRoot {
    try requirePreservable(key)
    try requirePreservable(value)
    return try collection(
      name, kind, types: (key.persistentTypeNumber, value.persistentTypeNumber))
  }

  /// Opens the collection called `name`, or makes it.
  ///
  /// - Throws: ``PersistentCollectionError/notThisCollection`` where something else has the name: another
  ///   kind of collection, one of other types, a region.
  func collection(
    _ name: String, _ kind: CollectionKind, types: (UInt64, UInt64)
  ) throws(PersistentCollectionError) -> CollectionRoot {
    if let reader { return try reader.root(name, kind, types: types) }
    return try lock.write { () throws(PersistentCollectionError) -> CollectionRoot in
      requireOpen()
      defer {
        engine!.arena.storage.refresh()
        directMap = engine!.arena.storage.memory
      }
      let root: CollectionRoot
      if let known = opened[name] { root = known } else { root = try openRoot(name, kind) }
      engine!.use(root)
      guard root.kind == kind else { throw .notThisCollection }
      try checkTypes(types)
      if kind == .map { try engine!.prepare() }
      opened[name] = root
      return root
    }
  }

  private func openRoot(
    _ name: String, _ kind: CollectionKind
  ) throws(PersistentCollectionError) -> CollectionRoot {
    precondition(engine!.arena.depth == 0, "a collection that is opened inside a transaction")
    let region: PhysicalRange
    do throws(PreservedMemoryError) {
      if let found = try engine!.arena.storage.preserved.region(named: name) {
        region = found
      } else {
        region = try engine!.arena.storage.preserved.makeRoot(kind, named: name)
      }
    } catch {
      throw .memory(error)
    }
    engine!.arena.storage.refresh()
    let found = try CollectionRoot(
      in: region, of: engine!.arena.storage.memory, ledger: ledger.identity)
    return try engine!.arena.open(found)
  }

  /// Records the types of a new collection, and compares them with those of an old one.
  private func checkTypes(_ types: (UInt64, UInt64)) throws(PersistentCollectionError) {
    let recorded = (
      engine!.arena.loadRoot(RootLayout.keyType), engine!.arena.loadRoot(RootLayout.valueType)
    )
    if recorded == types { return }
    guard recorded == (0, 0) else { throw .notThisCollection }
    try engine!.transaction { (engine) throws(PersistentCollectionError) in
      try engine.arena.setRoot(types.0, RootLayout.keyType)
      try engine.arena.setRoot(types.1, RootLayout.valueType)
    }
  }

  /// What the store contains.
  ///
  /// - Throws: ``PersistentCollectionError``.
  /// - Complexity: O(collections).
  public func contents() throws(PersistentCollectionError) -> [CollectionSummary] {
    if let reader { return try reader.contents() }
    return try lock.write { () throws(PersistentCollectionError) -> [CollectionSummary] in
      requireOpen()
      let names: [String]
      do throws(PreservedMemoryError) {
        names = try engine!.arena.storage.preserved.names()
      } catch {
        throw .memory(error)
      }
      var summaries: [CollectionSummary] = []
      for name in names {
        guard let region = try? engine!.arena.storage.preserved.region(named: name),
          let root = try? CollectionRoot(
            in: region, of: engine!.arena.storage.memory, ledger: ledger.identity)
        else { continue }
        engine!.use(root)
        summaries.append(CollectionSummary(name, root) { engine!.arena.loadRoot($0) })
      }
      return summaries
    }
  }

  /// Removes the collection called `name`, and frees all its memory. What refers to it must not be used
  /// any more.
  ///
  /// - Throws: ``PersistentCollectionError``. A crash in the middle is completed when the store is opened
  ///   the next time.
  /// - Precondition: not inside a transaction.
  /// - Complexity: O(pieces).
  public func removeCollection(_ name: String) throws(PersistentCollectionError) {
    if isReadOnly { throw .readOnly }
    try lock.write { () throws(PersistentCollectionError) in
      requireOpen()
      precondition(engine!.arena.depth == 0, "a collection that is removed inside a transaction")
      let root: CollectionRoot
      if let known = opened[name] {
        root = known
      } else {
        let region: PhysicalRange?
        do throws(PreservedMemoryError) {
          region = try engine!.arena.storage.preserved.region(named: name)
        } catch {
          throw .memory(error)
        }
        guard let region else { throw .memory(.noSuchName) }
        root = try engine!.arena.open(
          CollectionRoot(in: region, of: engine!.arena.storage.memory, ledger: ledger.identity))
      }
      engine!.use(root)
      try engine!.transaction { (engine) throws(PersistentCollectionError) in
        try engine.arena.setRoot(1, RootLayout.isBeingRemoved)
      }
      opened[name] = nil
      try finishRemoval(name, root)
    }
  }

  private func finishRemoval(
    _ name: String, _ root: CollectionRoot
  ) throws(PersistentCollectionError) {
    engine!.use(root)
    while try engine!.arena.freeSomePieces() {}
    do throws(PreservedMemoryError) {
      try engine!.arena.storage.preserved.removeRegion(named: name)
    } catch {
      throw .memory(error)
    }
  }

  /// Completes removals that a predecessor was killed in.
  private func finishRemovals() throws(PersistentCollectionError) {
    let names: [String]
    do throws(PreservedMemoryError) {
      names = try engine!.arena.storage.preserved.names()
    } catch {
      throw .memory(error)
    }
    for name in names {
      guard let region = try? engine!.arena.storage.preserved.region(named: name),
        let root = try? CollectionRoot(
          in: region, of: engine!.arena.storage.memory, ledger: ledger.identity)
      else { continue }
      engine!.use(root)
      if engine!.arena.loadRoot(RootLayout.isBeingRemoved) != 0 { try finishRemoval(name, root) }
    }
  }
}

/// A collection of a store.
public struct CollectionSummary: Hashable, Sendable {
  /// What a collection is.
  @nonexhaustive
  public enum Kind: String, Hashable, Sendable {
    case map, orderedMap, log, value, counter

    init(_ kind: CollectionKind) {
      switch kind {
      case .map: self = .map
      case .orderedMap: self = .orderedMap
      case .log: self = .log
      case .value: self = .value
      case .counter: self = .counter
      }
    }
  }

  /// Its name.
  public let name: String
  /// What it is.
  public let kind: Kind
  /// The number of its entries.
  public let count: Int
  /// How many bytes of the memory it has beside its root, of 4096.
  public let storageByteCount: UInt64

  /// - Parameter word: returns the word at an offset in the root.
  init(_ name: String, _ root: CollectionRoot, _ word: (UInt64) -> UInt64) {
    self.name = name
    kind = Kind(root.kind)
    count = Int(truncatingIfNeeded: word(RootLayout.entryCount))
    storageByteCount = word(RootLayout.storageByteCount)
  }
}
