import MemoryAccess

/// The tables between the root and where a walk is, without a heap.
struct RadixPath: ~Copyable {
  /// 16 bytes: a walk has 56 of them on a kernel's stack, and the compiler makes copies.
  private struct Step {
    var address: PhysicalAddress
    /// The slot to look at next.
    var nextSlot: UInt32
    var isUntouched: Bool
  }

  /// Where the walk is. By itself, since to read one of the steps takes a copy of all of them.
  private var step: Step
  /// The tables above it.
  private var steps: InlineArray<56, Step>
  private var depth = 0
  /// The first key below the table that the path ends at.
  private var firstKey: UInt64 = 0
  private let rootLevel: Int

  init(root: PhysicalAddress, level: Int) {
    require(that: level < RadixGeometry.largestLevelCount, "tree deeper than any geometry")
    step = Step(address: root, nextSlot: 0, isUntouched: true)
    steps = .init(repeating: step)
    rootLevel = level
  }

  var address: PhysicalAddress { step.address }
  var level: Int { rootLevel &- depth }
  var nextSlot: Int { Int(step.nextSlot) }
  /// Whether the table held no pointer so far.
  var isUntouched: Bool { step.isUntouched }

  func node(in geometry: RadixGeometry) -> RadixNode {
    RadixNode(
      address: address, level: level, firstKey: RadixKey(rawValue: firstKey))
  }

  /// Whether a node of the path is at `address`.
  ///
  /// Not inlined, as ``leave(in:)``: the compiler copies the steps in each place that reads them, and the
  /// stack of a walk would hold all copies.
  @inline(never)
  func holds(_ address: PhysicalAddress) -> Bool {
    if step.address == address { return true }
    let above = steps.span
    for index in 0..<depth where above[index].address == address { return true }
    return false
  }

  /// Goes on behind `slot` of the table at the path's end.
  mutating func take(_ slot: Int) {
    step.nextSlot = UInt32(truncatingIfNeeded: slot &+ 1)
    step.isUntouched = false
  }

  /// The first key below the slot taken last.
  func childFirstKey(in geometry: RadixGeometry) -> UInt64 {
    firstKey &+ keysBeforeSlotTaken(in: geometry)
  }

  /// The number of keys below the slots before the one taken last.
  private func keysBeforeSlotTaken(in geometry: RadixGeometry) -> UInt64 {
    (UInt64(step.nextSlot) &- 1) &<< UInt64(geometry.slotShift(level: level))
  }

  /// Goes down to the node that the slot taken last points to.
  mutating func enter(_ address: PhysicalAddress, in geometry: RadixGeometry) {
    firstKey = childFirstKey(in: geometry)
    steps[depth] = step
    depth &+= 1
    step = Step(address: address, nextSlot: 0, isUntouched: true)
  }

  /// Goes up one table; false at the root.
  @inline(never)
  mutating func leave(in geometry: RadixGeometry) -> Bool {
    guard depth > 0 else { return false }
    depth &-= 1
    step = steps.span[depth]
    firstKey &-= keysBeforeSlotTaken(in: geometry)
    return true
  }
}
