import MemoryAccess
import ProcessHandover

extension PreservedMemory {
  /// Makes the root of a new collection, a region called `name`.
  ///
  /// - Throws: as ``makeRegion(named:byteCount:_:)``.
  mutating func makeRoot(
    _ kind: CollectionKind, named name: String
  ) throws(PreservedMemoryError) -> PhysicalRange {
    let ledger = try ledger()
    var generator = SystemRandomNumberGenerator()
    let hashKey = (generator.next(), generator.next())
    return try makeRegion(named: name, byteCount: RootLayout.byteCount) {
      CollectionRoot.fill(&$0, kind, hashKey: hashKey, ledger: ledger.identity)
    }
  }
}
