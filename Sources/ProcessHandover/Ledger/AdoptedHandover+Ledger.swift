import Handover
import MemoryAccess
import PreservedPages

extension AdoptedHandover where Memory: WritablePhysicalMemory {
  /// Undoes or completes the change of collections that a predecessor was killed in.
  ///
  /// - Returns: whether memory was freed, so that `contents` is out of date.
  /// - Throws: ``MemoryContentsError/changeDamaged``; nothing was written where the ledger is damaged.
  /// - Complexity: O(names) where no change was being made; else O(pieces · log pieces) more.
  static func recoverLedger(
    _ contents: MemoryContents, _ outgoing: inout Outgoing, in memory: Memory
  ) throws(MemoryContentsError) -> Bool {
    guard let survey = contents.survey, let pages = survey.pages else { return false }
    let subtrees = survey.subtrees.map(\.subtree)
    var isChanged = false
    do throws(LedgerDamage) {
      guard let ledger = try MemoryLedger(among: subtrees, in: memory) else { return false }
      if ledger.control == LedgerControl() && ledger.sequence & 1 == 0 { return false }
      var lookup = PreservedPagesLookup(pages, in: memory)
      guard lookup.isPreserved(ledger.region) else {
        throw LedgerDamage(address: ledger.region.start)
      }
      let geometry = contents.superblock.geometry
      let superblock = PhysicalRange(
        start: .zero, byteCount: UInt64(geometry.pageByteCount))
      let deviceTree = lookup.block(holding: outgoing.anchor.state.deviceTree)?.range(in: geometry)
      // A collection's root is named itself; every other name is of something else.
      let others = subtrees.filter { !isRoot($0, in: memory) }.compactMap {
        PhysicalRange(checkedStart: $0.address, byteCount: $0.byteCount ?? 1)
      }
      let recovery = try LedgerRecovery(ledger, in: memory) { range in
        lookup.isPreserved(range) && !superblock.overlaps(range)
          && deviceTree?.overlaps(range) != true && !others.contains { $0.overlaps(range) }
      }
      do throws(OutgoingHandoverError) {
        try recovery.run { (range) throws(OutgoingHandoverError) in
          var frames = ForgottenFrames()
          let run = FrameRange(covering: range, in: geometry)
          isChanged = try outgoing.unpreserveAndFreeIfPreserved(run, into: &frames) || isChanged
        }
      } catch {
        throw LedgerDamage(address: ledger.region.start)
      }
    } catch {
      throw error.contentsError
    }
    return isChanged
  }

  /// Whether a region is the root of a collection.
  private static func isRoot(_ subtree: RootDeviceTree.Subtree, in memory: Memory) -> Bool {
    subtree.byteCount == LedgerLayout.rootByteCount
      && memory.ledgerWord(at: subtree.address.rawValue) == LedgerLayout.rootMagic
  }
}

/// Takes frames back and forgets them: the allocator is made from the entries afterwards.
private struct ForgottenFrames: BlockSource {
  /// How many came back. What takes no bytes has no address for the thread sanitizer.
  private var count: UInt64 = 0

  mutating func takeFrame() -> PhysicalAddress? { nil }
  mutating func takeBlock(_ order: PageOrder) -> PhysicalBlock? { nil }
  mutating func takeFrames(_ frameCount: UInt64) -> FrameRange? { nil }
  mutating func giveBack(_ frame: PhysicalAddress) { count &+= 1 }
  mutating func giveBack(_ frames: FrameRange) { count &+= frames.frameCount }
}
