import MemoryAccess

/// The memory of a store for a thread that only reads.
struct ViewStorage: ~Copyable, PersistentStorage {
  let memory: DirectMap

  mutating func allocate(
    byteCount: UInt64, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange { throw .limitReached }

  mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PersistentCollectionError) { throw .limitReached }
}
