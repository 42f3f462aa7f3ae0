package import Handover
public import MemoryAccess
public import ProcessHandover

/// The collections of a memory file, read from memory that may contain anything: for tools, and for a
/// look at a file that a process is using.
///
/// Nothing is written. A change that a process was killed in is read as if it were undone already, as the
/// process that adopts the memory undoes it; ``isChanging`` is true then.
public struct StoreInspection<Memory: PhysicalMemory> {
  /// A collection.
  public struct Collection: Sendable {
    /// The name of its root region.
    public let name: String
    /// What it is; nil of a root that cannot be read.
    public let kind: CollectionSummary.Kind?
    /// Why its root cannot be read.
    public let failure: PersistentCollectionError?
    /// The number of entries that its root records.
    public let count: UInt64
    /// The number of a counter, which has no entries; nil of every other kind.
    public let value: Int64?
    /// Where its root is.
    public let root: PhysicalRange
    /// The pieces that the ledger records for it, its root not among them.
    public let pieces: [PhysicalRange]
    /// The numbers of the types of its keys and values; 0 where they are not recorded.
    public let types: (key: UInt64, value: UInt64)

    let found: CollectionRoot?
  }

  let memory: BoundedView<Memory>
  let ledger: MemoryLedger
  /// The collections, in the order of their names in the memory.
  public let collections: [Collection]
  /// Whether a process was in the middle of a change, or was killed in one.
  public let isChanging: Bool
  /// The region of the ledger.
  public let ledgerRegion: PhysicalRange
  /// The ledger's own pieces.
  public let ledgerPieces: [PhysicalRange]
  /// Pieces of collections whose root is missing, or cannot be read.
  package let piecesWithoutRoot: [LedgerPiece]

  /// Reads the ledger and the roots; nil of memory without a ledger.
  ///
  /// - Parameter memory: the memory, which may contain anything.
  /// - Parameter contents: what was just read from `memory`.
  /// - Throws: ``PersistentCollectionError/damaged(_:)`` of a ledger that is.
  /// - Complexity: O(names + slots).
  public init?(
    _ contents: MemoryContents, in memory: Memory
  ) throws(PersistentCollectionError) {
    guard let survey = contents.survey else { return nil }
    try self.init(
      survey.subtrees.map(\.subtree), byteCount: contents.superblock.state.byteCount, in: memory)
  }

  /// Reads the ledger among `subtrees`, and the roots; nil of memory without a ledger.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)`` of a ledger that is;
  ///   ``PersistentCollectionError/unknownLayout(version:)``.
  package init?(
    _ subtrees: [RootDeviceTree.Subtree], byteCount: UInt64, in memory: Memory
  ) throws(PersistentCollectionError) {
    var view = BoundedView(memory, byteCount: byteCount)
    let ledger: MemoryLedger
    var pieces: [UInt32: [LedgerPiece]] = [:]
    do throws(LedgerDamage) {
      guard let found = try MemoryLedger(among: subtrees, in: view) else { return nil }
      ledger = found
      view.undo(ledger, ledger.control)
      for piece in try ledger.pieces({ view.ledgerWord(at: $0) }) {
        pieces[piece.owner, default: []].append(piece)
      }
    } catch {
      throw PersistentCollectionError(error)
    }
    var collections: [Collection] = []
    for subtree in subtrees where view.ledgerWord(at: subtree.address.rawValue) == RootLayout.magic
    {
      let region = PhysicalRange(
        checkedStart: subtree.address, byteCount: subtree.byteCount ?? 0)
      guard let region else { continue }
      collections.append(
        Self.collection(subtree.name, region, ledger, pieces, in: view))
    }
    self.memory = view
    self.ledger = ledger
    self.collections = collections
    let known = Set(collections.compactMap { $0.found?.owner })
    piecesWithoutRoot = pieces.filter { owner, _ in
      owner >= LedgerLayout.firstCollection && !known.contains(owner)
    }.values.flatMap { $0 }.sorted { $0.range.start < $1.range.start }
    isChanging = ledger.control != LedgerControl() || ledger.sequence & 1 != 0
    ledgerRegion = ledger.region
    ledgerPieces = (pieces[LedgerLayout.ledgerOwner] ?? []).map(\.range)
  }

  private static func collection(
    _ name: String, _ region: PhysicalRange, _ ledger: MemoryLedger,
    _ pieces: [UInt32: [LedgerPiece]], in view: BoundedView<Memory>
  ) -> Collection {
    var failure: PersistentCollectionError?
    var found: CollectionRoot?
    do throws(PersistentCollectionError) {
      found = try CollectionRoot(in: region, of: view, ledger: ledger.identity)
    } catch {
      failure = error
    }
    func word(_ offset: UInt64) -> UInt64 {
      found.flatMap { view.ledgerWord(at: $0.start &+ offset) } ?? 0
    }
    return Collection(
      name: name, kind: found.map { CollectionSummary.Kind($0.kind) }, failure: failure,
      count: word(RootLayout.entryCount),
      value: found?.kind == .counter ? Int64(bitPattern: word(RootLayout.value)) : nil,
      root: region,
      pieces: (found.flatMap { pieces[$0.owner] } ?? []).map(\.range).filter {
        $0.start != region.start
      },
      types: (word(RootLayout.keyType), word(RootLayout.valueType)), found: found)
  }

  /// Whether the collections did not change since the inspection was made. If so, everything that was read from
  /// them since then belongs to one instant.
  public var isCurrent: Bool {
    (try? MemoryLedger(at: PhysicalAddress(ledger.start), in: memory)).map {
      $0.control == ledger.control && $0.sequence == ledger.sequence
    } ?? false
  }

  /// Calls `body` with the keys and values of a collection, until it returns false. The key of an entry
  /// of a log is its number; that of a single value, and of a counter, is empty.
  ///
  /// - Throws: ``PersistentCollectionError``; `body` was called with the entries before the damage.
  /// - Complexity: O(entries), bounded by the memory.
  public func forEachEntry(
    of collection: Collection, _ body: (RawSpan, RawSpan, EntryMetadata) -> Bool
  ) throws(PersistentCollectionError) {
    guard let root = collection.found else {
      throw collection.failure ?? .notThisCollection
    }
    let map = view(root)
    switch root.kind {
    case .map: try forEachEntry(ofMap: map, body)
    case .orderedMap:
      try map.treeScan(from: nil, includesBound: true, forward: true, body)
    case .log:
      try map.logScan(from: 0) { number, bytes in
        withNumber(number) { body($0, bytes, EntryMetadata()) }
      }
    case .value: try forTheValue(of: map, body)
    case .counter:
      let number = map.arena.loadRoot(RootLayout.value)
      _ = withNumber(number) { bytes in
        [UInt8]().withRawSpan { body($0, bytes, EntryMetadata()) }
      }
    }
  }

  /// What is wrong with a collection.
  ///
  /// - Complexity: O(memory of the collection).
  public func check(_ collection: Collection) -> PersistentMapReport {
    guard let root = collection.found else {
      var report = PersistentMapReport()
      report.findings = [.damaged(collection.root.start)]
      return report
    }
    let map = view(root)
    var report: PersistentMapReport
    switch root.kind {
    case .map: report = map.check()
    case .orderedMap: report = map.checkTree()
    case .log: report = map.checkLog()
    case .value, .counter: report = PersistentMapReport()
    }
    // What the collection has is what the ledger says.
    if root.kind != .value, root.kind != .counter,
      Set(report.pieces) != Set(collection.pieces)
    {
      report.findings.append(.listDiffers(collection.root.start))
    }
    return report
  }

  private func view(_ root: CollectionRoot) -> ByteMap<InspectedStorage<Memory>> {
    ByteMap(
      arena: Arena(
        InspectedStorage(memory: memory), ledger, root: root.start, owner: root.owner),
      sip: root.sip)
  }

  private func forEachEntry(
    ofMap map: borrowing ByteMap<InspectedStorage<Memory>>,
    _ body: (RawSpan, RawSpan, EntryMetadata) -> Bool
  ) throws(PersistentCollectionError) {
    try map.checkIndex()
    var goesOn = true
    // No more buckets than fit into the memory, however they point to each other.
    var rest = memory.byteCount / Index.bucketByteCount
    for number in 0..<map.arena.loadRoot(RootLayout.bucketCount) {
      var bucket = try map.address(ofBucket: number)
      while bucket != 0 {
        guard rest > 0 else { throw .damaged(PhysicalAddress(bucket)) }
        rest &-= 1
        try map.forEachEntry(inBucket: bucket) { (entry) throws(PersistentCollectionError) in
          try map.visit(entry) { if goesOn { goesOn = body($0, $1, $2) } }
        }
        if !goesOn { return }
        bucket = try map.overflow(of: bucket)
      }
    }
  }

  private func forTheValue(
    of map: borrowing ByteMap<InspectedStorage<Memory>>,
    _ body: (RawSpan, RawSpan, EntryMetadata) -> Bool
  ) throws(PersistentCollectionError) {
    let word = map.arena.loadRoot(RootLayout.value)
    if word == 0 { return }
    let object = ObjectReference(in: word)
    let entry = FoundEntry(
      object: object, header: try map.header(of: object, foundAt: object.address), slot: 0,
      bucket: 0, previousBucket: 0)
    try map.visit(entry) { _ = body($0, $1, $2) }
  }

  private func withNumber(_ number: UInt64, _ body: (RawSpan) -> Bool) -> Bool {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }.withRawSpan(body)
  }
}
