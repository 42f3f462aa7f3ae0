import MemoryAccess
internal import ProcessHandover

/// Memory for the objects of a collection, with all that it takes to be whole after a crash.
///
/// Every word that is reachable is changed with ``set(_:at:)`` inside a transaction. What is not
/// reachable yet, a new object's bytes, is stored as it comes.
///
///     root ─► extents of 2 MiB ─► slabs of 64 KiB ─► objects of one size each
///          ─► large objects, in pages of their own
///          ─► the directory of the index
///     ledger ─► which pieces each collection has, and the change that is being made
///
/// Several collections share one arena: ``select(root:owner:)`` says whose objects are meant from then on.
struct Arena<Storage: PersistentStorage & ~Copyable>: ~Copyable {
  var storage: Storage
  /// Where the ledger begins.
  let ledger: UInt64
  /// Where the root region of the collection begins.
  private(set) var root: UInt64
  /// The number of the collection, under which the ledger has its pieces.
  private(set) var owner: UInt32
  /// How many bytes of storage the collection may take.
  var storageByteLimit: UInt64 = .max

  // MARK: The transaction that is being made

  /// The number of operations within each other; the outermost ends the transaction.
  var depth = 0
  /// Why an operation inside a transaction failed; the transaction fails with it.
  var failure: PersistentCollectionError?
  var control: LedgerControl
  /// Pieces that are freed once the transaction has ended.
  var stagedPendingFreeCount = 0
  /// Objects that are freed at the end of the transaction: until then nothing may overwrite them.
  var unlinked: [UnlinkedObject] = []
  /// Which pieces there are; made when the first word is changed.
  var ledgerIndex = LedgerIndex()

  /// - Precondition: `ledger` was read from the storage's memory.
  init(_ storage: consuming Storage, _ ledger: MemoryLedger, root: UInt64 = 0, owner: UInt32 = 0) {
    self.storage = storage
    self.ledger = ledger.start
    control = ledger.control
    self.root = root
    self.owner = owner
  }

  /// An object, and the collection whose it is.
  struct UnlinkedObject {
    let object: UInt64
    let root: UInt64
    let owner: UInt32
  }

  /// Means the collection with the given root from now on.
  @inline(__always)
  mutating func select(root: UInt64, owner: UInt32) {
    self.root = root
    self.owner = owner
  }

  var sizeClasses: SizeClasses { SizeClasses() }

  // MARK: Words

  @inline(__always)
  func load(_ address: UInt64) -> UInt64 {
    storage.memory.withWords(at: PhysicalAddress(address), count: 1) { $0.load(0) }
  }

  /// Stores a word that nothing points to yet, or one that may be lost.
  @inline(__always)
  func publish(_ word: UInt64, at address: UInt64) {
    storage.memory.withWords(at: PhysicalAddress(address), count: 1) { $0.publish(word, at: 0) }
  }

  /// The word at an address that was computed from what memory says at `source`.
  @inline(__always)
  func checkedLoad(
    _ address: UInt64, from source: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    guard address & 7 == 0, address <= storage.memory.byteCount &- 8 else {
      throw .damaged(PhysicalAddress(source))
    }
    return load(address)
  }

  @inline(__always)
  func loadRoot(_ offset: UInt64) -> UInt64 { load(root &+ offset) }

  /// Whether `byteCount` bytes at `address`, a multiple of 16, exist.
  @inline(__always)
  func exists(_ address: UInt64, byteCount: UInt64) -> Bool {
    guard address != 0, address & 15 == 0, address <= 1 &<< 44 else { return false }
    return storage.memory.contains(
      PhysicalRange(start: PhysicalAddress(address), byteCount: byteCount))
  }

  /// An address that was read from memory, where it can be one.
  @inline(__always)
  func checked(
    _ address: UInt64, byteCount: UInt64, foundAt place: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    guard exists(address, byteCount: byteCount) else { throw .damaged(PhysicalAddress(place)) }
    return address
  }
}

extension Arena where Storage: ~Copyable {
  consuming func takeStorage() -> Storage { storage }
}
