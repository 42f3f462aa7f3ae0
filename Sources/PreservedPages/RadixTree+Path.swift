public import MemoryAccess

extension RadixTree {
  /// Changes the word for `key` as `change` says, after finding or making the path to it with `path`.
  ///
  /// - Parameters:
  ///   - change: makes of a word the new one.
  ///   - path: where the word is, when it is not remembered; `.zero` where the change is not to be made.
  /// - Returns: the word as it was; nil where `path` gave `.zero`.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  mutating func update<Failure: Error>(
    _ key: RadixKey, _ change: (UInt64) -> UInt64,
    path: (inout RadixPathCache) throws(Failure) -> PhysicalAddress
  ) throws(Failure) -> UInt64? {
    let number = key.rawValue &>> 6
    if _fastPath(number == lastWord.number) { return updateLastWord(change) }
    // Both words below one table of level 2: that of pages of 4 KiB has 27 bits of numbers.
    let isNear = (number ^ lastWord.number) &>> 27 == 0
    var address = PhysicalAddress.zero
    if isNear, _fastPath(geometry.page.shift == 12) {
      // Keys of one order find the table of level 2 that the one before was below. Keys in no order have two loads
      // for that, and few other instructions: a core has more keys in flight while each waits for memory.
      let nodes = RadixNodes<Memory, SoleAccess>(
        memory: memory, geometry: RadixGeometry(.pages4KiB), root: root)
      let leaf = nodes.leaf(for: key, belowLevel2: lastWord.table)
      if _fastPath(leaf != .zero) {
        let address = nodes.wordAddress(of: key, in: leaf)
        let (old, new) = updateWord(at: address, change)
        lastWord.number = number
        lastWord.address = address
        lastWord.value = new
        return old
      }
    } else if let word = cache.rememberedWord(for: key) {
      address = word
      if !isNear {
        // Orders come by turns: from here on, each looks at the leaf of its own.
        lastWord.number = RadixPathCache.none
        return updateWord(at: address, change).old
      }
    }
    if _slowPath(address == .zero) {
      address = try path(&cache)
      if address == .zero { return nil }
      let isAgain = cache.noteMiss(of: key)
      // The numbers that are not keys are in the first words, whose keys are checked each time. The cache's entry for
      // those keys has no table, and the last word's key may have had the same entry.
      if number &>> 27 == 0 { lastWord.number = RadixPathCache.none }
      if lastWord.number == RadixPathCache.none, number &>> 27 == 0 || !isAgain {
        return updateWord(at: address, change).old
      }
    }
    let (old, new) = updateWord(at: address, change)
    lastWord.number = number
    lastWord.address = address
    // SAFETY: an index has four bits.
    lastWord.table = unsafe cache.entries[unchecked: RadixPathCache.index(of: key)].table
    lastWord.value = new
    return old
  }

  @_optimize(speed)
  @inlinable
  @inline(__always)
  func updateWord(
    at address: PhysicalAddress, _ change: (UInt64) -> UInt64
  ) -> (old: UInt64, new: UInt64) {
    memory.withWords(at: address, count: 1) { words in
      let old = words.load(0)
      let new = change(old)
      // Stored also where nothing changes: among keys in no order, the branch costs more.
      words.publish(new, at: 0)
      return (old, new)
    }
  }

  /// Changes the word that was changed last.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  mutating func updateLastWord(_ change: (UInt64) -> UInt64) -> UInt64 {
    let (old, new) = memory.withWords(at: lastWord.address, count: 1) { words in
      var old = lastWord.value
      // Another user of the tree may have changed the word. It is loaded once more then: taken from
      // the first load, the compiler would leave out the comparison, and all keys would wait.
      if _slowPath(words.load(0) != old) { old = words.load(0) }
      let new = change(old)
      words.publish(new, at: 0)
      return (old, new)
    }
    lastWord.value = new
    return old
  }

  /// Forgets all paths, before nodes are given back.
  @inlinable
  mutating func forgetPaths() {
    cache = RadixPathCache()
    lastWord = RadixLastWord()
  }

  // The parts of the tree are arguments of their own here, and the functions are never inlined: what a
  // hot loop needs of the tree stays in registers then.

  @_optimize(speed)
  @inlinable
  @inline(never)
  static func makeWord<Frames: FrameSource & ~Copyable>(
    for key: RadixKey, _ cache: inout RadixPathCache, in memory: Memory,
    _ geometry: RadixGeometry, root: PhysicalAddress, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    try RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: root)
      .makeWord(for: key, &cache, from: &frames)
  }

  @_optimize(speed)
  @inlinable
  @inline(never)
  static func findWord(
    for key: RadixKey, _ cache: inout RadixPathCache, in memory: Memory,
    _ geometry: RadixGeometry, root: PhysicalAddress
  ) -> PhysicalAddress {
    RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: root)
      .findWord(for: key, &cache)
  }
}
