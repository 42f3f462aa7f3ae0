extension Memblock {
  /// Checks the invariants of both lists.
  ///
  /// - Throws: the first that does not hold.
  /// - Complexity: O(regions).
  public func validate() throws(AllocatorDamage) {
    guard memoryList.isSound else { throw .regions(.memory) }
    guard reservedList.isSound else { throw .regions(.reserved) }
    if let storage = memoryList.storage, !reservedList.covers(storage) {
      throw .listStorage(storage)
    }
    if let storage = reservedList.storage, !reservedList.covers(storage) {
      throw .listStorage(storage)
    }
  }
}
