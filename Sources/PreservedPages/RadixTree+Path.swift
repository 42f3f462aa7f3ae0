public import MemoryAccess

extension RadixTree {
  /// Changes the word for `key` as `change` says, after finding or making the path to it with `path`.
  ///
  /// - Parameters:
  ///   - change: makes of a word the new one.
  ///   - path: where the word is, when no path leads to it that a few instructions find; `.zero` where the change is
  ///     not to be made. It changes what the tree remembers.
  /// - Returns: the word as it was; nil where `path` gave `.zero`.
  @_optimize(speed)
  @inlinable
  @inline(__always)
  mutating func update<Failure: Error>(
    _ key: RadixKey, _ change: (UInt64) -> UInt64,
    path: (inout RadixPathCache, inout RadixLastWord) throws(Failure) -> PhysicalAddress
  ) throws(Failure) -> UInt64? {
    if _fastPath(key.rawValue &>> 33 == lastWord.prefix) {
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
    } else if let word = cache.rememberedWord(for: key) {
      // Orders come by turns: from here on, each looks at the leaf of its own.
      lastWord.prefix = RadixLastWord.none
      // SAFETY: the memory has lent all words that the cache remembers.
      return unsafe memory.withKnownWords(at: word, count: 1) { Self.update($0, change).old }
    }
    // A copy is lent, so that the last word itself stays in registers.
    var last = lastWord
    let address = try path(&cache, &last)
    lastWord = last
    if address == .zero { return nil }
    let (old, new) = updateWord(at: address, change)
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
    for key: RadixKey, _ cache: inout RadixPathCache, _ last: inout RadixLastWord,
    in memory: Memory, _ geometry: RadixGeometry, root: PhysicalAddress, from frames: inout Frames
  ) throws(RadixTreeError) -> PhysicalAddress {
    let nodes = RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: root)
    return try nodes.word(for: key, &cache, &last) { (cache) throws(RadixTreeError) in
      try nodes.makeWord(for: key, &cache, from: &frames)
    }
  }

  @_optimize(speed)
  @inlinable
  @inline(never)
  static func findWord(
    for key: RadixKey, _ cache: inout RadixPathCache, _ last: inout RadixLastWord,
    in memory: Memory, _ geometry: RadixGeometry, root: PhysicalAddress
  ) -> PhysicalAddress {
    let nodes = RadixNodes<Memory, SoleAccess>(memory: memory, geometry: geometry, root: root)
    return nodes.word(for: key, &cache, &last) { nodes.findWord(for: key, &$0) }
  }
}

extension RadixNodes {
  /// Where the word for `key` is, below a table that is remembered or by `path`; it is the last word then, unless
  /// orders come by turns.
  @inlinable
  @inline(__always)
  func word<Failure: Error>(
    for key: RadixKey, _ cache: inout RadixPathCache, _ last: inout RadixLastWord,
    path: (inout RadixPathCache) throws(Failure) -> PhysicalAddress
  ) throws(Failure) -> PhysicalAddress {
    // Of pages of other sizes, the next word may be in the leaf that is remembered.
    if last.prefix == key.rawValue &>> 33, let word = cache.rememberedWord(for: key) {
      last.move(to: key, at: word, below: cache)
      return word
    }
    let isAgain = cache.noteMiss(of: key)
    var word = cache.wordBelowTable(of: key, in: memory)
    if word == .zero {
      word = try path(&cache)
      if word == .zero { return word }
    }
    if key.rawValue &>> 33 == 0 {
      // The numbers that are not keys are in the first words, whose keys are checked each time. The cache's entry for
      // those keys has no table, and the last word's key may have had the same entry.
      last.prefix = RadixLastWord.none
    } else if last.prefix != RadixLastWord.none || isAgain {
      last.move(to: key, at: word, below: cache)
    }
    return word
  }
}
