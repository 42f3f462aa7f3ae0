package import MemoryAccess
package import ProcessHandover

/// Where collections get their memory: pieces that exist until they are freed, also when a process dies.
package protocol PersistentStorage: ~Copyable {
  associatedtype Memory: WritablePhysicalMemory

  /// The memory as it is now. An allocation may make it larger; nothing in it moves.
  var memory: Memory { get }

  /// A piece of memory whose start is a multiple of its size rounded up to a power of two.
  ///
  /// - Parameter zeroed: whether the piece is filled with zeros; else it contains any bytes.
  /// - Parameter announce: called with the piece before it is allocated for good.
  mutating func allocate(
    byteCount: UInt64, zeroed: Bool, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange

  /// Frees a piece, as a whole; does nothing where it is not allocated.
  mutating func freeIfAllocated(_ range: PhysicalRange) throws(PersistentCollectionError)
}

/// The memory of a process, with its bytes at hand.
///
/// An invariant: `memory` maps the bytes of `preserved.file`, which lives as long as this value.
package struct PreservedStorage: ~Copyable, PersistentStorage {
  /// Apart from what is used all the time: with its allocator it has 2.5 KiB, which each call that only
  /// reads a collection would copy to the stack.
  private let box: PreservedMemoryBox
  package private(set) var memory: DirectMap
  /// How many bytes of its file system the file should take at most.
  package var storedByteLimit: UInt64 = .max

  package init(_ preserved: consuming PreservedMemory) {
    // SAFETY: `preserved` keeps the file, and with it the mapping, as long as this value lives.
    memory = unsafe preserved.file.unsafeDirectMap
    box = PreservedMemoryBox(preserved)
  }

  var preserved: PreservedMemory {
    _read { yield box.memory! }
    _modify { yield &box.memory! }
  }

  package mutating func allocate(
    byteCount: UInt64, zeroed: Bool, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange {
    // The file may grow, also where there is not enough of it in the end.
    defer { refresh() }
    do throws(PreservedMemoryError) {
      let piece = try allocated(byteCount: byteCount, zeroed: zeroed, announce)
      try keepToLimit()
      return piece
    } catch {
      throw .memory(error)
    }
  }

  /// The piece; where the file system has no more room, storage of free memory goes back to it first, and
  /// can be used anywhere else in the file.
  private mutating func allocated(
    byteCount: UInt64, zeroed: Bool, _ announce: (PhysicalRange) -> Void
  ) throws(PreservedMemoryError) -> PhysicalRange {
    do throws(PreservedMemoryError) {
      return try preserved.allocate(byteCount: byteCount, zeroed: zeroed, announcing: announce)
    } catch {
      guard case .outOfStorage = error, try preserved.trim() > 0 else { throw error }
    }
    return try preserved.allocate(byteCount: byteCount, zeroed: zeroed, announcing: announce)
  }

  /// Gives storage of free memory back where the file takes more than it should, by a 64th of that: each
  /// time, all of it is given back, so it is not done for every piece.
  private mutating func keepToLimit() throws(PreservedMemoryError) {
    let limit = storedByteLimit
    guard limit < .max, let stored = preserved.file.storedByteCount,
      stored > limit, stored &- limit > limit / 64
    else { return }
    try preserved.trim()
  }

  package mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PersistentCollectionError) {
    do throws(PreservedMemoryError) { _ = try preserved.freeIfAllocated(range) } catch {
      throw .memory(error)
    }
  }

  /// Sees what the file has grown by.
  mutating func refresh() {
    // SAFETY: as in `init`.
    memory = unsafe preserved.file.unsafeDirectMap
  }

  consuming func take() -> PreservedMemory { box.memory.take()! }
}

/// A place on the heap for the memory; empty once ``PreservedStorage/take()`` has given it back, with which
/// the storage ends.
private final class PreservedMemoryBox {
  var memory: PreservedMemory?

  init(_ memory: consuming PreservedMemory) { self.memory = .some(memory) }
}
