public import Handover
public import MemoryAccess
import PreservedPages

extension FreshTakeover {
  /// Keeps the region called `name`, under that name.
  ///
  /// Where all of its pages are kept already, by another name or as a part of a larger run, only the
  /// name is added.
  ///
  /// - Throws: ``PreservedMemoryError/noSuchName``; ``PreservedMemoryError/partOfCollections(_:)`` of a
  ///   collection, which ``keepCollections()`` keeps; ``PreservedMemoryError/nameTaken`` where it was kept
  ///   already; ``PreservedMemoryError/incoming(_:)`` where it is a part of something that was not, and
  ///   as ``PreservedMemory/makeRegion(named:byteCount:_:)``.
  /// - Complexity: O(names + blocks · levels).
  @discardableResult
  public mutating func keepRegion(
    named name: String
  ) throws(PreservedMemoryError) -> PhysicalRange {
    // Its root alone would point to memory that is free.
    guard !isCollection(name) else { throw .partOfCollections(name) }
    return try keepRegionOfAnyKind(named: name)
  }

  @discardableResult
  mutating func keepRegionOfAnyKind(
    named name: String
  ) throws(PreservedMemoryError) -> PhysicalRange {
    guard let range = region(named: name) else { throw .noSuchName }
    let run = FrameRange(covering: range, in: incoming.geometry)
    guard !memory.outgoing.isPreserved(range) else {
      try memory.name(range, name)
      return range
    }
    try keep(run) { (outgoing, frames) throws(OutgoingHandoverError) in
      try outgoing.addSubtree(range, named: name, from: &frames)
    }
    return range
  }

  /// Keeps the area called `name`, under that name: descriptor, chunks and blocks.
  ///
  /// - Throws: as ``keepRegion(named:)``; ``PreservedMemoryError/incoming(_:)`` with `areaDamaged` where
  ///   the name is not an area's.
  /// - Complexity: O(names + blocks · levels).
  @discardableResult
  public mutating func keepArea(
    named name: String
  ) throws(PreservedMemoryError) -> VmallocArea {
    guard let range = region(named: name) else { throw .noSuchName }
    let geometry = incoming.geometry
    let area: VmallocArea
    do throws(RecordError) {
      area = try withBytes(of: range) { (bytes) throws(RecordError) in
        try VmallocArea(parsing: bytes, in: geometry)
      }
    } catch {
      throw .incoming(.areaDamaged(error))
    }
    try restore { (incoming, frames) throws(IncomingHandoverError) in
      try incoming.restore(area, from: &frames)
    }
    do throws(PreservedMemoryError) {
      try memory.withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
        try outgoing.preserve(area, from: &frames)
      }
      try keepRegion(named: name)
    } catch {
      // Nothing of the area was preserved before, so what is now is not kept.
      try? memory.outgoing.unpreserve(area)
      memory.outgoing.prune(into: &memory.frames)
      incoming.takeBack(area, into: &memory.frames)
      throw error
    }
    return area
  }

  /// Keeps memory without a name that was allocated as a run.
  ///
  /// - Throws: ``PreservedMemoryError/incoming(_:)`` where it was never preserved like that or is kept
  ///   already, and as ``PreservedMemory/allocate(byteCount:)``.
  public mutating func keep(_ range: PhysicalRange) throws(PreservedMemoryError) {
    try keep(FrameRange(covering: range, in: incoming.geometry)) {
      (_, _) throws(OutgoingHandoverError) in
    }
  }

  /// Keeps a block without a name.
  ///
  /// - Throws: as ``keep(_:)-(PhysicalRange)``.
  public mutating func keep(_ block: PhysicalBlock) throws(PreservedMemoryError) {
    try restore { (incoming, frames) throws(IncomingHandoverError) in
      try incoming.restore(block, from: &frames)
    }
    do throws(PreservedMemoryError) {
      try memory.withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
        _ = try outgoing.preserve(block, from: &frames)
      }
    } catch {
      incoming.takeBack(block, into: &memory.frames)
      throw error
    }
  }

  private mutating func keep(
    _ run: FrameRange,
    then body: (
      inout PreservedMemory.Outgoing, inout FileFrames
    ) throws(OutgoingHandoverError) -> Void
  ) throws(PreservedMemoryError) {
    try restore { (incoming, frames) throws(IncomingHandoverError) in
      try incoming.restore(run, from: &frames)
    }
    do throws(PreservedMemoryError) {
      try memory.withFrames { (outgoing, frames) throws(OutgoingHandoverError) in
        try outgoing.preserve(run, from: &frames)
        try body(&outgoing, &frames)
      }
    } catch {
      // Nothing of the run was preserved before, so what is now is not kept.
      try? memory.outgoing.unpreserve(run)
      memory.outgoing.prune(into: &memory.frames)
      incoming.takeBack(run, into: &memory.frames)
      throw error
    }
  }

  /// Calls `body` with the incoming handover and frames for its metadata; makes the file larger if they
  /// do not suffice.
  mutating func restore(
    _ body: (
      inout IncomingHandover<MemoryFile>, inout FileFrames
    ) throws(IncomingHandoverError) -> Void
  ) throws(PreservedMemoryError) {
    while true {
      do throws(IncomingHandoverError) {
        return try body(&incoming, &memory.frames)
      } catch {
        guard error == .outOfFrames else { throw .incoming(error) }
      }
      try memory.growForFrames(1)
    }
  }
}
