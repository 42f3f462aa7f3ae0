import MemoryAccess

/// A log of a ``PersistentStore``: entries are added at the end and removed at the front, as jobs and
/// events are. Each has a number, from 0 on, that it keeps.
///
/// A value that refers to the store: cheap to copy, and usable from any thread. An entry has up to 1 GiB.
public struct StoreLog<Element: PersistentElement>: Sendable {
  let store: PersistentStore
  let root: CollectionRoot

  /// The numbers of the entries that are there.
  public var range: Range<UInt64> {
    get throws(PersistentCollectionError) {
      try store.read(root) { (view) throws(PersistentCollectionError) in view.logRange }
    }
  }

  /// Adds an entry at the end.
  ///
  /// - Returns: its number.
  /// - Throws: ``PersistentCollectionError``.
  /// - Complexity: O(bytes).
  @discardableResult
  public func append(_ element: Element) throws(PersistentCollectionError) -> UInt64 {
    try store.write(root) { (engine) throws(PersistentCollectionError) in
      try engine.logAppend(byteCount: element.persistentByteCount) { element.write(to: &$0) }
    }
  }

  /// The entry of that number; nil where it was removed or is not there yet.
  ///
  /// - Throws: ``PersistentCollectionError/damaged(_:)``, also where the bytes are not of the type.
  /// - Complexity: O(segments of 16 KiB before it).
  public subscript(number: UInt64) -> Element? {
    get throws(PersistentCollectionError) {
      let found = try batch(from: number, 1).first
      return found?.0 == number ? found?.1 : nil
    }
  }

  /// Removes the entries whose numbers are less than `number`.
  ///
  /// - Returns: their number.
  @discardableResult
  public func removeEntries(before number: UInt64) throws(PersistentCollectionError) -> UInt64 {
    try store.write(root) { (engine) throws(PersistentCollectionError) in
      try engine.logRemove(before: number)
    }
  }

  /// Takes the first entry out; nil of an empty log. With a transaction around it, what is done with the
  /// entry and its removal happen together.
  public func removeFirst() throws(PersistentCollectionError) -> Element? {
    if store.isReadOnly { throw .readOnly }
    return try store.lock.write { () throws(PersistentCollectionError) -> Element? in
      guard let (number, element) = try batch(from: 0, 1).first else { return nil }
      try removeEntries(before: number + 1)
      return element
    }
  }

  /// The entries and their numbers, for a `for` loop.
  public func entries(from number: UInt64 = 0) -> StoreEntries<UInt64, Element> {
    var next = number
    return StoreEntries { () throws(PersistentCollectionError) in
      let batch = try self.batch(from: next, 64)
      guard let last = batch.last else { return nil }
      next = last.0 + 1
      return batch
    }
  }

  private func batch(
    from number: UInt64, _ limit: Int
  ) throws(PersistentCollectionError) -> [(UInt64, Element)] {
    try store.read(root) { (view) throws(PersistentCollectionError) in
      var entries: [(UInt64, Element)] = []
      var isDamaged = false
      try view.logScan(from: number) { number, bytes in
        guard let element = Element(persistentBytes: bytes) else {
          isDamaged = true
          return false
        }
        entries.append((number, element))
        return entries.count < limit
      }
      if isDamaged { throw .damaged(PhysicalAddress(root.start)) }
      return entries
    }
  }

  /// Looks at every entry, every object, every list.
  public func check() throws(PersistentCollectionError) -> PersistentMapReport {
    try store.read(root) { (view) throws(PersistentCollectionError) in view.checkLog() }
  }
}

extension PersistentStore {
  /// The log called `name`, made if it does not exist.
  ///
  /// - Throws: ``PersistentCollectionError``.
  public func log<Element: PersistentElement>(
    _ name: String, of type: Element.Type
  ) throws(PersistentCollectionError) -> StoreLog<Element> {
    try requirePreservable(Element.self)
    let numbers = (0 as UInt64, Element.persistentTypeNumber)
    return StoreLog(store: self, root: try collection(name, .log, types: numbers))
  }
}
