public import Handover
public import MemoryAccess

// Memory with a name: what a successor finds by itself.

extension PreservedMemory {
  /// The names of all regions and areas, in the order in which they were made. The ledger of the
  /// collections, `kho-ledger`, is not among them.
  ///
  /// - Throws: ``PreservedMemoryError/handover(_:)`` where the device tree was overwritten.
  public func names() throws(PreservedMemoryError) -> [String] {
    do throws(OutgoingHandoverError) {
      return try outgoing.rootDeviceTree().subtrees.map(\.name).filter {
        $0 != LedgerLayout.regionName
      }
    } catch {
      throw .handover(error)
    }
  }

  /// The bytes of the region called `name`; nil if nothing has the name.
  ///
  /// - Throws: ``PreservedMemoryError/handover(_:)`` where the device tree cannot be read.
  /// - Complexity: O(names).
  public func region(named name: String) throws(PreservedMemoryError) -> PhysicalRange? {
    let subtree: RootDeviceTree.Subtree?
    do throws(OutgoingHandoverError) { subtree = try outgoing.subtree(named: name) } catch {
      throw .handover(error)
    }
    guard let subtree else { return nil }
    let byteCount = subtree.byteCount ?? UInt64(geometry.pageByteCount)
    let range = PhysicalRange(checkedStart: subtree.address, byteCount: byteCount)
    guard let range, file.contains(range) else {
      throw .handover(
        .subtreeNotPreserved(PhysicalRange(start: subtree.address, byteCount: 0)))
    }
    return range
  }

  /// Makes a region of `byteCount` bytes under `name`, in one piece; `fill` writes it before a
  /// successor can see it.
  ///
  /// - Parameter name: the name under which a successor finds the region.
  /// - Parameter byteCount: the size of the region, in bytes.
  /// - Parameter fill: gets the bytes of whole pages, all zeros.
  /// - Throws: ``PreservedMemoryError/nameTaken``, and as ``allocate(byteCount:)``;
  ///   ``PreservedMemoryError/handover(_:)`` with `deviceTreeUnwritable` of a name that is empty, too
  ///   long, or has a `/` or a NUL.
  /// - Precondition: `byteCount` is not 0.
  /// - Complexity: O(bytes + names).
  @discardableResult
  public mutating func makeRegion(
    named name: String, byteCount: UInt64,
    _ fill: (inout MutableRawSpan) -> Void = { _ in }
  ) throws(PreservedMemoryError) -> PhysicalRange {
    try withFrames(for: .name(name)) { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.createSubtree(named: name, byteCount: byteCount, from: &frames, fill)
    }
  }

  /// Puts a new region in the place of the one called `name`: a successor finds the old bytes or the
  /// new ones, never a mixture. The old memory is freed.
  ///
  /// - Throws: ``PreservedMemoryError/noSuchName``, and as ``makeRegion(named:byteCount:_:)``.
  /// - Complexity: O(bytes + names).
  @discardableResult
  public mutating func replaceRegion(
    named name: String, byteCount: UInt64,
    _ fill: (inout MutableRawSpan) -> Void = { _ in }
  ) throws(PreservedMemoryError) -> PhysicalRange {
    try withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.replaceSubtree(named: name, byteCount: byteCount, from: &frames, fill)
    }
  }

  /// Gives memory that was allocated a name.
  ///
  /// - Throws: ``PreservedMemoryError/nameTaken``; ``PreservedMemoryError/handover(_:)`` with
  ///   `subtreeNotPreserved` of other memory, and as ``makeRegion(named:byteCount:_:)``.
  public mutating func name(
    _ range: PhysicalRange, _ name: String
  ) throws(PreservedMemoryError) {
    try withFrames(for: .name(name)) { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.addSubtree(range, named: name, from: &frames)
    }
  }

  /// Takes the name from a region, whose memory stays allocated.
  ///
  /// Succeeds in full memory too: a block is set aside for it.
  ///
  /// - Throws: ``PreservedMemoryError/noSuchName``, ``PreservedMemoryError/handover(_:)``; as
  ///   ``allocate(byteCount:)`` in memory that an older version filled to the last page.
  public mutating func removeName(_ name: String) throws(PreservedMemoryError) {
    try withFrames(for: .removal) { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.removeSubtree(named: name, from: &frames)
    }
  }

  /// Frees the region called `name`.
  ///
  /// - Throws: as ``removeName(_:)``.
  public mutating func removeRegion(named name: String) throws(PreservedMemoryError) {
    try withFrames(for: .removal) { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.removeSubtreeAndFree(named: name, from: &frames)
    }
  }

  // MARK: Scattered areas

  /// Makes an area of `blockCount` blocks of 2^order pages under `name`, at any free addresses: memory too
  /// large for one piece.
  ///
  /// - Throws: as ``makeRegion(named:byteCount:_:)``.
  @discardableResult
  public mutating func makeArea(
    named name: String, blockCount: UInt64, order: PageOrder = .zero
  ) throws(PreservedMemoryError) -> VmallocArea {
    try withFrames(for: .name(name)) { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.createAreaSubtree(
        named: name, blockCount: blockCount, order: order, from: &frames)
    }
  }

  /// The blocks of the area called `name`, in order.
  ///
  /// - Throws: ``PreservedMemoryError/noSuchName``; ``PreservedMemoryError/handover(_:)`` with
  ///   `areaDamaged` where the name is not an area's.
  /// - Complexity: O(names + blocks).
  public func blocks(ofArea name: String) throws(PreservedMemoryError) -> [PhysicalBlock] {
    do throws(OutgoingHandoverError) {
      let area = try outgoing.area(inSubtree: name)
      var blocks = VmallocBlocks(area, in: file, geometry: geometry)
      var found: [PhysicalBlock] = []
      do throws(RecordError) {
        while let step = try blocks.next() {
          if case .block(let block) = step { found.append(block) }
        }
      } catch {
        throw .areaDamaged(error)
      }
      return found
    } catch {
      if error == .noSuchSubtree { throw .noSuchName }
      throw .handover(error)
    }
  }

  /// Frees the area called `name`.
  ///
  /// - Throws: as ``blocks(ofArea:)`` and ``removeRegion(named:)``.
  public mutating func removeArea(named name: String) throws(PreservedMemoryError) {
    try withFrames(for: .removal) { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.removeAreaSubtreeAndFree(named: name, from: &frames)
    }
  }
}
