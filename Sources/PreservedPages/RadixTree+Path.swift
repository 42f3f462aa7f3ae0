public import MemoryAccess

extension RadixTree {
  /// Changes the word for `key` as `change` says, after finding or making the path to it with `path`.
  ///
  /// - Parameters:
  ///   - change: makes of a word the new one.
  ///   - path: where the word is, when no path leads to it that a few instructions find; `.zero` where the change is
  ///     not to be made. It gets the last word's prefix, and changes what the tree remembers.
  /// - Returns: the word as it was; nil where `path` gave `.zero`.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  mutating func update<Failure: Error>(
    _ key: RadixKey, _ change: (UInt64) -> UInt64,
    path: (inout RadixPathCache, _ prefix: UInt64) throws(Failure) -> RadixLastWord.Found
  ) throws(Failure) -> UInt64? {
    if key.rawValue &>> 33 == lastWord.prefix {
      if _fastPath(key.rawValue &>> 6 == lastWord.number) { return updateLastWord(change) }
      if _fastPath(geometry.page.shift == 12) {
        // Keys of one order find the table of level 2 that the one before was below. Keys in no order have two loads
        // for that, and few other instructions: a core has more keys in flight while each waits for memory.
        let nodes = RadixNodes<Memory, SoleAccess>(
          memory: memory, geometry: RadixGeometry(.pages4KiB), root: root)
        // SAFETY: the memory has lent the page of the last word's table.
        let leaf = unsafe nodes.leaf(for: key, belowKnown: lastWord.table)
        if _fastPath(leaf != .zero) {
          let address = nodes.wordAddress(of: key, in: leaf)
          let (old, new) = updateWord(at: address, change)
          lastWord.number = key.rawValue &>> 6
          lastWord.address = address
          lastWord.value = new
          return old
        }
      }
    } else if let leaf = cache.rememberedLeaf(for: key, in: memory) {
      // Orders come by turns: from here on, each looks below the table of its own.
      lastWord.forget()
      let nodes = RadixNodes<Memory, SoleAccess>(
        memory: memory, geometry: RadixGeometry(.pages4KiB), root: root)
      return updateWord(at: nodes.wordAddress(of: key, in: leaf), change).old
    }
    // Nothing of the last word is needed from here on: a copy that waits would take a register in each loop.
    let found = try path(&cache, lastWord.prefix)
    lastWord.move(to: key, found)
    if found.address == .zero { return nil }
    let (old, new) = updateWord(at: found.address, change)
    lastWord.value = new
    return old
  }

  @_optimize(speed)
  @inlinable
  @inline(__always)
  func updateWord(
    at address: PhysicalAddress, _ change: (UInt64) -> UInt64
  ) -> (old: UInt64, new: UInt64) {
    memory.withWords(at: address, count: 1) { Self.update($0, change) }
  }

  @_optimize(speed)
  @inlinable
  @inline(__always)
  static func update(
    _ words: borrowing MemoryWords, _ change: (UInt64) -> UInt64
  ) -> (old: UInt64, new: UInt64) {
    let old = words.load(0)
    let new = change(old)
    // Stored also where nothing changes: among keys in no order, the branch costs more.
    words.publish(new, at: 0)
    return (old, new)
  }

  /// Changes the word that was changed last.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  mutating func updateLastWord(_ change: (UInt64) -> UInt64) -> UInt64 {
    // SAFETY: the memory has lent the last word.
    let (old, new) = unsafe memory.withKnownWords(at: lastWord.address, count: 1) { words in
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
    for key: RadixKey, _ cache: inout RadixPathCache, prefix: UInt64, in memory: Memory,
    _ geometry: RadixGeometry, root: PhysicalAddress, from frames: inout Frames
  ) throws(RadixTreeError) -> RadixLastWord.Found {
    let nodes = RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: root)
    return try nodes.word(for: key, &cache, prefix) { (cache) throws(RadixTreeError) in
      try nodes.makeLeaf(for: key, &cache, from: &frames)
    }
  }

  @_optimize(speed)
  @inlinable
  @inline(never)
  static func findWord(
    for key: RadixKey, _ cache: inout RadixPathCache, prefix: UInt64, in memory: Memory,
    _ geometry: RadixGeometry, root: PhysicalAddress
  ) -> RadixLastWord.Found {
    let nodes = RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: root)
    return nodes.word(for: key, &cache, prefix) { nodes.findLeaf(for: key, &$0) }
  }
}

extension RadixNodes {
  /// Where the word for `key` is, below a table that is remembered or in the leaf that `leaf` finds.
  ///
  /// - Parameter prefix: that of the last word.
  @inlinable
  @inline(__always)
  func word<Failure: Error>(
    for key: RadixKey, _ cache: inout RadixPathCache, _ prefix: UInt64,
    leaf: (inout RadixPathCache) throws(Failure) -> PhysicalAddress
  ) throws(Failure) -> RadixLastWord.Found {
    let isNear = prefix == key.rawValue &>> 33
    let isAgain = isNear || cache.noteMiss(of: key)
    var found = isNear ? .zero : cache.leafBelowTable(of: key, in: memory)
    if found == .zero {
      found = try leaf(&cache)
      if found == .zero {
        return RadixLastWord.Found(.zero, table: .zero, prefix: RadixLastWord.none)
      }
    }
    // Orders that come by turns do so until the same one is noted twice in a row. The numbers that are not keys are in
    // the first words, whose keys are checked each time.
    let isLast = key.rawValue &>> 33 != 0 && (prefix != RadixLastWord.none || isAgain)
    // SAFETY: an index has four bits.
    let table = unsafe cache.tables[unchecked: RadixPathCache.index(of: key)]
    return RadixLastWord.Found(
      wordAddress(of: key, in: found), table: table,
      prefix: isLast ? key.rawValue &>> 33 : RadixLastWord.none)
  }
}
