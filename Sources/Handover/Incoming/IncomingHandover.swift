import DeviceTreeBlob
public import MemoryAccess
public import PreservedPages

/// What a predecessor handed over, as the successor takes it: read and checked once, kept out of the
/// allocators' hands, and restored to its owners, each block once.
///
///     1. IncomingHandover(at:in:…)   reads the tree, and trusts nothing in it
///     2. reserve(in:)                the early allocator learns what is in use
///     3. BuddyAllocator(from:)       everything else becomes free
///     4. restore(…)                  each owner takes its memory back, and may free it
///     5. retire(into:)               the predecessor's tree itself becomes free memory
///
/// The predecessor's bytes are never written, so a successor that fails before it is done leaves
/// them to the next one. Which blocks were restored is kept apart, in a tree of the successor's own.
///
/// Source: `TheLifecycle.md`.
public struct IncomingHandover<Memory: WritablePhysicalMemory>: ~Copyable {
  /// The memory all of it is in.
  public let memory: Memory
  /// What was found.
  public let survey: HandoverSurvey
  /// The entries and what marks them.
  public let pages: PreservedPagesSurvey
  /// The version of the formats.
  public let version: ABIVersion

  @usableFromInline
  var lookup: PreservedPagesLookup<Memory>
  /// The blocks that were restored; nil before the first.
  @usableFromInline
  var restored: RadixTree<Memory>?
  /// Whether the tree was freed, so that nothing can be read of it.
  @usableFromInline
  var isRetired = false

  /// The page size.
  @inlinable
  public var geometry: PageGeometry { survey.geometry }

  /// Reads the handover whose root device tree is at `deviceTree`.
  ///
  /// - Throws: ``IncomingHandoverError/damaged(_:)`` where entries cannot be read, are outside memory,
  ///   or overlap each other, the tree or the device tree. A subtree that is damaged is refused when
  ///   it is asked for.
  /// - Complexity: O(nodes · page size + runs · orders in use).
  public init(
    at deviceTree: PhysicalAddress, in memory: Memory, geometry: PageGeometry,
    options: HandoverSurvey.Options = HandoverSurvey.Options()
  ) throws(IncomingHandoverError) {
    try self.init(
      HandoverSurvey(.memory(deviceTree), in: memory, geometry: geometry, options: options),
      in: memory)
  }

  /// Takes the handover that `survey` was made of, in the same memory.
  ///
  /// - Throws: as ``init(at:in:geometry:options:)``.
  public init(_ survey: HandoverSurvey, in memory: Memory) throws(IncomingHandoverError) {
    if let finding = survey.firstErrorOfWhole { throw .damaged(finding) }
    guard let pages = survey.pages, let version = survey.deviceTree?.version else {
      throw .damaged(survey.error ?? .mapMissing)
    }
    self.memory = memory
    self.survey = survey
    self.pages = pages
    self.version = version
    self.lookup = PreservedPagesLookup(pages, in: memory)
    self.restored = nil
  }

  /// The subtree called `name`.
  ///
  /// - Throws: ``IncomingHandoverError/noSuchSubtree``;
  ///   ``IncomingHandoverError/subtreeNotPreserved(address:)``;
  ///   ``IncomingHandoverError/damaged(_:)`` if the device tree does not contain its address, or its
  ///   size where the version stores that.
  /// - Complexity: O(subtrees).
  public func subtree(
    named name: String
  ) throws(IncomingHandoverError) -> HandoverSurvey.Subtree {
    guard
      let index = survey.subtrees.firstIndex(where: { $0.subtree.name.hasBytes(of: name) })
    else {
      if let finding = survey.damage(ofSubtreeNamed: name, isInSize: false) {
        throw .damaged(finding)
      }
      throw .noSuchSubtree
    }
    if let finding = survey.damage(ofSubtreeNamed: name, isInSize: true) {
      throw .damaged(finding)
    }
    let found = survey.subtrees[index]
    guard found.isPreserved else { throw .subtreeNotPreserved(address: found.subtree.address) }
    return found
  }

  /// The entry that holds the byte at `address`: the block that a predecessor preserved, with the order
  /// under which it can be restored. Nil where no entry holds it.
  ///
  /// A record shows where it is, but not in which block: Linux keeps a blob of 240 bytes in a folio of
  /// two pages.
  ///
  /// - Complexity: O(orders in use · log leaves).
  public mutating func entry(holding address: PhysicalAddress) -> PhysicalBlock? {
    lookup.block(holding: address)
  }

  /// Whether `block`, of exactly that order, is an entry.
  ///
  /// - Complexity: O(orders in use + log leaves).
  public mutating func contains(_ block: PhysicalBlock) -> Bool { lookup.contains(block) }
}

extension HandoverFinding {
  /// Whether the finding is about one subtree, and says nothing about the entries.
  var isAboutSubtree: Bool {
    switch self {
    case .subtreeAddressWrong, .subtreeSizeWrong, .subtreeOutsideMemory, .subtreeNotPreserved:
      true
    default: false
    }
  }
}
