public import MemoryAccess

/// Frames taken for a change that must not stop half-way.
///
/// They hang together by their first words, so the reserve needs no memory of its own. Leaves are
/// taken as they are and filled with ones, each word once: most of a range's leaves end up full.
@frozen
@usableFromInline
struct RadixReserve<Memory: WritablePhysicalMemory>: ~Copyable {
  @usableFromInline
  let memory: Memory
  @usableFromInline
  let geometry: RadixGeometry
  @usableFromInline
  var firstLeaf: PhysicalAddress = .zero
  @usableFromInline
  var firstTable: PhysicalAddress = .zero

  @inlinable
  init(_ memory: Memory, _ geometry: RadixGeometry) {
    self.memory = memory
    self.geometry = geometry
  }

  /// Takes all frames that are missing for `keys`, or none.
  @inlinable
  mutating func take<Frames: FrameSource & ~Copyable>(
    for keys: RadixKeyRange, in nodes: RadixNodes<Memory, SoleAccess>, from frames: inout Frames
  ) throws(RadixTreeError) {
    var counts = InlineArray<56, UInt64>(repeating: 0)
    nodes.countMissing(
      below: nodes.root, level: geometry.rootLevel, for: keys, &counts)
    for level in 0..<geometry.rootLevel {
      for _ in 0..<counts[level] {
        let taken = level == 0 ? frames.takeUnclearedFrame() : frames.takeFrame()
        guard let frame = taken else {
          giveBackAll(into: &frames)
          throw .outOfFrames(level: level)
        }
        if level == 0 {
          memory.withWords(at: frame, count: geometry.page.pageWordCount) {
            $0.fill(1..<$0.count, setting: true)
            $0.publish(firstLeaf.rawValue, at: 0)
          }
          firstLeaf = frame
        } else {
          setFirstWord(of: frame, firstTable.rawValue)
          firstTable = frame
        }
      }
    }
  }

  /// A frame of zeros, for a table.
  @inlinable
  mutating func table() -> PhysicalAddress {
    let table = firstTable
    firstTable = firstWord(of: table)
    setFirstWord(of: table, 0)
    return table
  }

  /// A frame of ones, or of zeros, for a leaf.
  @inlinable
  mutating func leaf(isFull: Bool) -> PhysicalAddress {
    let leaf = firstLeaf
    firstLeaf = firstWord(of: leaf)
    if isFull {
      setFirstWord(of: leaf, .max)
    } else {
      memory.withWords(at: leaf, count: geometry.page.pageWordCount) { $0.clear() }
    }
    return leaf
  }

  @inlinable
  mutating func giveBackAll<Frames: FrameSource & ~Copyable>(into frames: inout Frames) {
    while firstLeaf != .zero {
      let next = firstWord(of: firstLeaf)
      frames.giveBack(firstLeaf)
      firstLeaf = next
    }
    while firstTable != .zero {
      let next = firstWord(of: firstTable)
      frames.giveBack(firstTable)
      firstTable = next
    }
  }

  @inlinable
  func firstWord(of frame: PhysicalAddress) -> PhysicalAddress {
    memory.withWords(at: frame, count: 1) { PhysicalAddress($0.load(0)) }
  }

  @inlinable
  func setFirstWord(of frame: PhysicalAddress, _ value: UInt64) {
    memory.withWords(at: frame, count: 1) { $0.publish(value, at: 0) }
  }
}
