import Handover
import MemoryAccess
import PreservedPages

/// A memory file's handover as its new owner takes it over, in place.
struct AdoptedHandover<Memory: WritablePhysicalMemory>: ~Copyable {
  typealias Outgoing = OutgoingHandover<Memory, Superblock<Memory>>

  /// The handover.
  var outgoing: Outgoing
  /// The entries, and the pages of the tree, as they were when the handover was taken over.
  let pages: PreservedPagesSurvey

  /// Takes over what `contents` found, completes the change of the handover that a predecessor was killed
  /// in, and then undoes or completes the change of its collections.
  ///
  /// - Throws: ``MemoryContentsError``; nothing was written, but for a record that was damaged on
  ///   purpose so that its check value fits.
  /// - Precondition: `contents` was just read from `memory`, holds a handover, and no other process writes.
  init(_ contents: MemoryContents, in memory: Memory) throws(MemoryContentsError) {
    var contents = contents
    try contents.requireSound()
    var superblock: Superblock<Memory>
    do throws(SuperblockError) { superblock = try Superblock(reading: memory) } catch {
      throw .superblock(error)
    }
    if superblock.state.isBuildingNext { superblock.forgetNext() }
    var outgoing = try Self.outgoing(contents, superblock, in: memory)
    if let change = outgoing.anchor.state.change {
      do throws(OutgoingHandoverError) {
        try outgoing.complete(change)
      } catch {
        throw .changeDamaged
      }
      contents = try MemoryContents(reading: memory)
      try contents.requireSound()
    }
    if try Self.recoverLedger(contents, &outgoing, in: memory) {
      contents = try MemoryContents(reading: memory)
    }
    guard let pages = contents.survey?.pages else { preconditionFailure("no handover to adopt") }
    self.outgoing = outgoing
    self.pages = pages
  }

  /// The handover alone.
  consuming func takeOutgoing() -> Outgoing { outgoing }

  private static func outgoing(
    _ contents: MemoryContents, _ superblock: consuming Superblock<Memory>, in memory: Memory
  ) throws(MemoryContentsError) -> Outgoing {
    guard let survey = contents.survey, let deviceTree = survey.deviceTree,
      let pages = survey.pages, let version = deviceTree.version, let root = deviceTree.map
    else { preconditionFailure("no handover to adopt") }
    var lookup = PreservedPagesLookup(pages, in: memory)
    guard root != .zero, let block = lookup.block(holding: superblock.state.deviceTree) else {
      throw .damaged(.deviceTreeNotPreserved(superblock.state.deviceTree))
    }
    do throws(OutgoingHandoverError) {
      return try OutgoingHandover(
        adopting: root, deviceTree: block, in: memory, geometry: contents.superblock.geometry,
        version: version, anchor: superblock)
    } catch {
      throw .versionNotWritable(version)
    }
  }
}
