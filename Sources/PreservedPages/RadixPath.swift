import MemoryModel

/// The tables between the root and where a walk stands, without a heap.
struct RadixPath: ~Copyable {
  private struct Step {
    var address: PhysicalAddress
    /// The slot to look at next.
    var nextSlot: Int
    var firstKey: UInt64
    var isUntouched: Bool
  }

  private var steps: InlineArray<56, Step>
  private var depth = 0
  private let rootLevel: Int

  init(root: PhysicalAddress, level: Int) {
    precondition(level < RadixGeometry.largestLevelCount, "tree deeper than any geometry")
    steps = .init(
      repeating: Step(address: root, nextSlot: 0, firstKey: 0, isUntouched: true))
    rootLevel = level
  }

  var address: PhysicalAddress { steps[depth].address }
  var level: Int { rootLevel &- depth }
  var nextSlot: Int { steps[depth].nextSlot }
  /// Whether the table held no pointer so far.
  var isUntouched: Bool { steps[depth].isUntouched }

  func node(in geometry: RadixGeometry) -> RadixNode {
    RadixNode(
      address: address, level: level, firstKey: RadixKey(rawValue: steps[depth].firstKey))
  }

  /// Whether a node of the path lies at `address`.
  func holds(_ address: PhysicalAddress) -> Bool {
    for index in 0...depth where steps[index].address == address { return true }
    return false
  }

  /// Goes on behind `slot` of the table at the path's end.
  mutating func take(_ slot: Int) {
    steps[depth].nextSlot = slot &+ 1
    steps[depth].isUntouched = false
  }

  /// The first key below the slot taken last.
  func childFirstKey(in geometry: RadixGeometry) -> UInt64 {
    let slot = UInt64(steps[depth].nextSlot &- 1)
    return steps[depth].firstKey &+ slot &<< UInt64(geometry.slotShift(level: level))
  }

  /// Goes down to the node that the slot taken last leads to.
  mutating func enter(_ address: PhysicalAddress, in geometry: RadixGeometry) {
    let firstKey = childFirstKey(in: geometry)
    depth &+= 1
    steps[depth] = Step(address: address, nextSlot: 0, firstKey: firstKey, isUntouched: true)
  }

  /// Goes up one table; false at the root.
  mutating func leave() -> Bool {
    guard depth > 0 else { return false }
    depth &-= 1
    return true
  }
}
