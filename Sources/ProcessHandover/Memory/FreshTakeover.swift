import Handover
public import MemoryAccess
import MemoryImages
import PreservedPages

/// A take-over in which the new owner says anew what it wants kept, as a kernel does after a kexec.
///
/// The outgoing handover starts empty. What is kept is restored from the incoming one and preserved
/// again; nothing is copied. ``finish()`` puts the new handover in the place of the old at one instant
/// and frees the rest. Until then the old one counts: a process that is killed before has changed nothing, and
/// the next one finds everything again.
///
/// The other way, where everything stays as it is, is ``PreservedMemory/init(adopting:)``.
public struct FreshTakeover: ~Copyable {
  /// The file.
  public let file: MemoryFile

  var incoming: IncomingHandover<MemoryFile>
  var memory: PreservedMemory
  /// The ledger of the predecessor's collections; nil if it had no collections.
  let ledger: MemoryLedger?
  /// Whether the collections were kept, or given up on purpose.
  var isDoneWithCollections: Bool

  /// Begins to take over the memory in `file`.
  ///
  /// - Throws: ``PreservedMemoryError``; ``MemoryContentsError/superblock(_:)`` and the like leave the
  ///   file as it was.
  /// - Complexity: O(nodes · page size + runs · log frames).
  public init(of file: MemoryFile) throws(PreservedMemoryError) {
    try self.init(of: file, lock: PreservedMemory.lock(file))
  }

  /// Begins to take over the memory that a predecessor passed on, by exec or to a child; nil if none was
  /// passed on.
  ///
  /// - Parameter capacity: what the memory may grow to, in bytes.
  /// - Parameter descriptors: what ``Successor/inherited()`` gave; what is not the memory stays there.
  /// - Throws: as ``init(of:)``.
  public static func inherited(
    _ descriptors: inout ReceivedDescriptors,
    growableTo capacity: UInt64 = PreservedMemory.standardCapacity
  ) throws(PreservedMemoryError) -> FreshTakeover? {
    let file = try PreservedMemory.inheritedFile(&descriptors, growableTo: capacity)
    guard let file else { return nil }
    return try FreshTakeover(
      of: file, lock: PreservedMemory.inheritedLock(&descriptors, of: file))
  }

  init(of file: MemoryFile, lock: consuming WriterLock) throws(PreservedMemoryError) {
    // Completes the change that the predecessor was killed in.
    var memory = try PreservedMemory(adopting: file, lock: lock)
    let deviceTree = memory.outgoing.anchor.state.deviceTree
    let version = memory.outgoing.version
    let geometry = memory.geometry
    // The free frames follow from the predecessor's tree, which another tree is about to replace.
    try memory.requireAllFrames()
    let incoming: IncomingHandover<MemoryFile>
    do throws(IncomingHandoverError) {
      incoming = try IncomingHandover(at: deviceTree, in: file, geometry: geometry)
    } catch {
      throw .incoming(error)
    }
    let ledger: MemoryLedger?
    do throws(LedgerDamage) {
      ledger = try MemoryLedger(among: incoming.survey.subtrees.map(\.subtree), in: file)
    } catch {
      throw .contents(error.contentsError)
    }
    try memory.beginNext(version)
    self.file = file
    self.ledger = ledger
    isDoneWithCollections = ledger == nil
    self.incoming = incoming
    self.memory = memory
  }

  /// The names of what the predecessor left. The ledger of the collections, `kho-ledger`, is not among
  /// them.
  public var names: [String] {
    incoming.survey.subtrees.map(\.subtree.name).filter { $0 != LedgerLayout.regionName }
  }

  /// The bytes of the region called `name`; nil when the predecessor left none.
  public func region(named name: String) -> PhysicalRange? {
    guard let subtree = try? incoming.subtree(named: name) else { return nil }
    let byteCount = subtree.byteCount ?? UInt64(incoming.geometry.pageByteCount)
    return PhysicalRange(checkedStart: subtree.subtree.address, byteCount: byteCount)
  }

  /// Calls `body` with bytes of the memory.
  ///
  /// - Precondition: they are bytes of the memory.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    of range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let result = try file.withBytes(in: range, body) else {
      preconditionFailure("bytes outside the memory")
    }
    return result
  }

  /// Calls `body` with every block that is not kept so far, by address.
  ///
  /// - Throws: the error of `body`, which ends the walk.
  /// - Complexity: O(nodes · page size + entries · levels).
  public func forEachBlockNotKept<Failure: Error>(
    _ body: (PhysicalBlock) throws(Failure) -> Void
  ) throws(Failure) {
    try incoming.forEachUnrestored { (block) throws(Failure) in
      if !containsDeviceTree(block.range(in: incoming.geometry)) { try body(block) }
    }
  }

  /// Whether the predecessor's device tree, which has no other user, is in `range`.
  private func containsDeviceTree(_ range: PhysicalRange) -> Bool {
    guard let address = incoming.survey.address else { return false }
    return range.contains(address)
  }

  /// Puts what was kept in the place of what there was, and frees the rest.
  ///
  /// - Throws: ``PreservedMemoryError/collectionsNotKept(_:)`` if the predecessor had collections, and
  ///   neither ``keepCollections()`` nor ``dropCollections()`` was called. Nothing is lost then: the old
  ///   handover stays valid, and the next process finds everything.
  public consuming func finish() throws(PreservedMemoryError) -> PreservedMemory {
    guard isDoneWithCollections else { throw .collectionsNotKept(collectionNames) }
    memory.outgoing.anchor.switchToNext()
    let geometry = incoming.geometry
    var unwanted: [FrameRange] = []
    incoming.forEachUnrestoredRun { run in
      if containsDeviceTree(run.range(in: geometry)) {
        run.forEachBlock(in: geometry) {
          if !containsDeviceTree($0.range(in: geometry)) {
            unwanted.append(FrameRange($0, in: geometry))
          }
        }
      } else {
        unwanted.append(FrameRange(covering: run.range(in: geometry), in: geometry))
      }
    }
    for run in unwanted { memory.frames.giveBack(run) }
    incoming.retire(into: &memory.frames)
    memory.isGathered = false
    memory.keepSpare()
    return memory
  }
}

extension PreservedMemory {
  /// Begins a second handover, beside the one that counts.
  fileprivate mutating func beginNext(_ version: ABIVersion) throws(PreservedMemoryError) {
    outgoing.anchor.beginNext()
    let geometry = geometry
    dropSpare()
    // The root never moves: at a low address, it does not divide the memory.
    frames.choice = .lowest
    defer { frames.choice = .bestFit }
    while true {
      let anchor = try Self.superblock(of: file)
      do throws(OutgoingHandoverError) {
        outgoing = try OutgoingHandover(
          in: file, geometry: geometry, version: version, anchor: anchor, from: &frames)
        return
      } catch {
        guard case .outOfFrames(let frameCount) = error else { throw .handover(error) }
        try growForFrames(frameCount)
      }
    }
  }
}
