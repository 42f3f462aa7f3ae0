import MemoryAccess
package import PersistentCollections

extension [PhysicalRange] {
  /// The size of all ranges, in bytes.
  var byteCount: UInt64 { reduce(0) { $0 &+ $1.byteCount } }
}

extension StoreInspection.Collection {
  /// The memory of the root and of all pieces, in bytes.
  package var memoryByteCount: UInt64 { root.byteCount &+ pieces.byteCount }
}
