public import MemoryAccess

/// What one operation changes in a handover: memory to mark, the root device tree to switch to, and
/// memory to unmark, done in that order.
///
/// Everything that can fail has been done before a change exists: the nodes are there, the new
/// device tree is written, the memory is allocated. So a change can always be completed, also by
/// another process that finds it half done; doing a part of it twice does no harm. Until that has been
/// done, what the change names must not be handed out, whether it is an entry already or not.
public struct HandoverChange: Sendable {
  /// Memory that becomes, or stops being, preserved.
  ///
  /// An anchor that records changes must be able to record each of these: a new kind of item is a new layout of its
  /// record. So a `switch` over the items is meant to be exhaustive.
  public enum Item: Hashable, Sendable {
    /// One block, which is one entry also where a NUMA node begins inside.
    case block(PhysicalBlock)
    /// A run of frames, marked as `NaturalBlocks`.
    case frames(FrameRange)
    /// The blocks of a vmalloc area and the chunks that name them.
    case area(VmallocArea)
    /// Any blocks, by their keys, which a chain of pages lists: a pointer to the next page, then
    /// keys up to a 0 or the page's end. The pages are not entries; 0 is a list of none.
    case keys(PhysicalAddress)
  }

  /// A few items, without a heap.
  public struct Items: Sendable {
    private var storage = InlineArray<4, Item>(
      repeating: .frames(FrameRange(start: FrameNumber(0), frameCount: 0)))
    /// The number of items, at most ``capacity``.
    public private(set) var count = 0

    /// The most items that one change needs.
    public static var capacity: Int { 4 }

    /// No items.
    public init() {}

    /// Adds an item behind the others.
    ///
    /// - Precondition: there are fewer than ``capacity``.
    public mutating func append(_ item: Item) {
      require(that: count < Self.capacity, "a change of too many items")
      storage[count] = item
      count &+= 1
    }

    /// The item at `index`.
    ///
    /// - Precondition: `index` is in `0..<count`.
    public subscript(index: Int) -> Item {
      require(that: index >= 0 && index < count, "item outside the change")
      return storage[index]
    }
  }

  /// Memory to mark.
  public var preserved = Items()
  /// The root device tree to switch to, an entry once ``preserved`` is marked; nil where it stays.
  public var deviceTree: PhysicalAddress?
  /// Memory to unmark.
  public var unpreserved = Items()

  /// No change.
  public init() {}
}

/// Where a successor finds the root device tree: the one pointer that a handover hangs on.
///
/// A kernel keeps it in a word that the kexec hands on (``WordAnchor``); a memory file keeps it in
/// its superblock, where a change that was begun is recorded too, so that the next owner after a crash
/// completes it.
public protocol HandoverAnchor: ~Copyable {
  /// Whether the handover is that of a memory file: its addresses are offsets in the file. The root device
  /// tree says so, since its page may be anywhere in a machine's memory.
  var isOfMemoryFile: Bool { get }

  /// Where the root device tree is; 0 for nowhere.
  var deviceTree: PhysicalAddress { get }

  /// Says that `change` is being made from now on.
  mutating func begin(_ change: HandoverChange)

  /// Makes `deviceTree` the root device tree, at one instant.
  mutating func switchDeviceTree(to deviceTree: PhysicalAddress)

  /// Says that the change that was begun is complete.
  mutating func end()
}

extension HandoverAnchor where Self: ~Copyable {
  /// A handover of a machine.
  public var isOfMemoryFile: Bool { false }
}

/// A pointer to the root device tree in one word of memory.
///
/// Changes are not recorded: a crash in the middle of one leaves a sound handover with some of its
/// entries marked, which is as much as Linux does.
public struct WordAnchor<Memory: WritablePhysicalMemory>: HandoverAnchor {
  private let memory: Memory
  /// Where the word is.
  public let address: PhysicalAddress

  /// The word at `address`.
  ///
  /// - Precondition: `address` is a multiple of 8 and the word exists.
  public init(at address: PhysicalAddress, in memory: Memory) {
    require(that: address.isAligned(log2ByteCount: 3), "unaligned word")
    self.address = address
    self.memory = memory
  }

  /// Where the root device tree is; 0 for nowhere.
  public var deviceTree: PhysicalAddress {
    memory.withWords(at: address, count: 1) { PhysicalAddress($0.load(0)) }
  }

  /// Does nothing.
  public mutating func begin(_ change: HandoverChange) {}

  /// Stores the word.
  public mutating func switchDeviceTree(to deviceTree: PhysicalAddress) {
    memory.withWords(at: address, count: 1) { $0.publish(deviceTree.rawValue, at: 0) }
  }

  /// Does nothing.
  public mutating func end() {}
}
