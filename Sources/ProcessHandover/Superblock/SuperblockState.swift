public import Handover
public import MemoryAccess

/// What a memory file says of itself that changes: one state at a time is valid.
public struct SuperblockState: Sendable {
  /// How many states there were before.
  public internal(set) var sequence: UInt64 = 0
  /// How many processes had the memory before this one.
  public internal(set) var generation: UInt64 = 0
  /// How many bytes of the file are memory.
  public internal(set) var byteCount: UInt64
  /// The root device tree of the handover that a successor takes; 0 if none exists.
  public internal(set) var deviceTree: PhysicalAddress = .zero
  /// The check value of that device tree's bytes.
  public internal(set) var deviceTreeCheck: UInt64 = 0
  /// Whether another handover is being built, which will take the place of this one at one instant.
  public internal(set) var isBuildingNext = false
  /// The root device tree of the handover that is being built; 0 while it has none.
  public internal(set) var nextDeviceTree: PhysicalAddress = .zero
  /// The check value of that device tree's bytes.
  public internal(set) var nextDeviceTreeCheck: UInt64 = 0
  /// The process that has the memory, or had it last.
  public internal(set) var writer = WriterIdentity(processID: 0, startTime: 0)
  /// A number of the kernel's boot under which a process last opened the memory to write it; 0 if that is
  /// unknown.
  public internal(set) var boot: UInt64 = 0
  /// The change that is being made, of the handover that is being built if there is one; nil while
  /// none is.
  public internal(set) var change: HandoverChange?

  init(byteCount: UInt64) {
    self.byteCount = byteCount
  }
}

/// A process, distinguished from later ones that get its number.
public struct WriterIdentity: Hashable, Sendable {
  /// The number of the process.
  public let processID: UInt64
  /// When it started, in the kernel's ticks since boot; 0 where that is not known.
  public let startTime: UInt64

  /// The process of that number.
  public init(processID: UInt64, startTime: UInt64) {
    self.processID = processID
    self.startTime = startTime
  }
}

/// Why the first page of a file is not the superblock of a memory file that can be used.
@nonexhaustive
public enum SuperblockError: Error, Hashable, Sendable {
  /// The file is too short to have one.
  case tooShort(byteCount: UInt64)
  /// The first word is another: the file is something else.
  case notMemoryFile(magic: UInt64)
  /// A newer version of this library wrote the file.
  case versionUnknown(UInt64)
  /// The file has features that this version does not know, a bit each.
  case featuresUnknown(UInt64)
  /// A page size that memory files do not have.
  case pageShiftUnknown(UInt64)
  /// The header's check value does not fit: bits have changed.
  case headerDamaged
  /// The selector does not name a valid state.
  case selectorDamaged(UInt64)
  /// The check value of the valid state does not fit.
  case stateDamaged
  /// The state has an invalid value.
  case stateImpossible
  /// The file is shorter than the memory that it holds: a part is missing.
  case truncated(byteCount: UInt64, wanted: UInt64)
}

extension SuperblockState {
  /// The words of a slot, its check value included.
  func words() -> [UInt64] {
    typealias Layout = SuperblockLayout
    var words = [UInt64](repeating: 0, count: Layout.slotWordCount)
    words[Layout.sequenceWord] = sequence
    words[Layout.generationWord] = generation
    words[Layout.byteCountWord] = byteCount
    words[Layout.deviceTreeWord] = deviceTree.rawValue
    words[Layout.nextDeviceTreeWord] = nextDeviceTree.rawValue
    words[Layout.deviceTreeCheckWords.lowerBound] = deviceTreeCheck
    words[Layout.deviceTreeCheckWords.lowerBound + 1] = nextDeviceTreeCheck
    words[Layout.buildingWord] = isBuildingNext ? 1 : 0
    words[Layout.writerWords.lowerBound] = writer.processID
    words[Layout.writerWords.lowerBound + 1] = writer.startTime
    words[Layout.bootWord] = boot
    if let change {
      let counts = UInt64(change.preserved.count) << 8 | UInt64(change.unpreserved.count) << 16
      words[Layout.changeWord] = 1 | counts
      words[Layout.changeDeviceTreeWord] = change.deviceTree?.rawValue ?? 0
      var next = Layout.itemsWord
      for items in [change.preserved, change.unpreserved] {
        for index in 0..<items.count {
          let encoded = items[index].encoded
          words[next] = encoded.kind
          words[next + 1] = encoded.first
          words[next + 2] = encoded.second
          next += 3
        }
      }
    }
    words[Layout.checkWord] = Self.check(words)
    return words
  }

  /// Reads the words of a slot, for memory of pages of `geometry`.
  ///
  /// - Throws: ``SuperblockError/stateDamaged``, ``SuperblockError/stateImpossible``.
  init(_ words: [UInt64], _ geometry: PageGeometry) throws(SuperblockError) {
    typealias Layout = SuperblockLayout
    guard words[Layout.checkWord] == Self.check(words) else { throw .stateDamaged }
    self.init(byteCount: words[Layout.byteCountWord])
    sequence = words[Layout.sequenceWord]
    generation = words[Layout.generationWord]
    deviceTree = PhysicalAddress(words[Layout.deviceTreeWord])
    nextDeviceTree = PhysicalAddress(words[Layout.nextDeviceTreeWord])
    writer = WriterIdentity(
      processID: words[Layout.writerWords.lowerBound],
      startTime: words[Layout.writerWords.lowerBound + 1])
    boot = words[Layout.bootWord]
    deviceTreeCheck = words[Layout.deviceTreeCheckWords.lowerBound]
    nextDeviceTreeCheck = words[Layout.deviceTreeCheckWords.lowerBound + 1]
    isBuildingNext = words[Layout.buildingWord] == 1
    let isWhole = byteCount & (UInt64(geometry.pageByteCount) - 1) == 0
    guard isWhole, words[Layout.buildingWord] <= 1, geometry.isPageAligned(deviceTree),
      geometry.isPageAligned(nextDeviceTree)
    else { throw .stateImpossible }
    guard words[Layout.changeWord] != 0 else { return }
    change = try Self.change(words, geometry, byteCount: byteCount)
  }

  private static func check(_ words: [UInt64]) -> UInt64 {
    CheckValue(of: words.dropLast()).value
  }

  private static func change(
    _ words: [UInt64], _ geometry: PageGeometry, byteCount: UInt64
  ) throws(SuperblockError) -> HandoverChange {
    typealias Layout = SuperblockLayout
    let header = words[Layout.changeWord]
    let preservedCount = Int(header >> 8 & 0xff)
    let unpreservedCount = Int(header >> 16 & 0xff)
    let limit = HandoverChange.Items.capacity
    guard header & 0xff == 1, header >> 24 == 0, preservedCount <= limit,
      unpreservedCount <= limit
    else { throw .stateImpossible }
    var change = HandoverChange()
    let deviceTree = PhysicalAddress(words[Layout.changeDeviceTreeWord])
    guard geometry.isPageAligned(deviceTree) else { throw .stateImpossible }
    change.deviceTree = deviceTree == .zero ? nil : deviceTree
    var next = Layout.itemsWord
    for index in 0..<preservedCount + unpreservedCount {
      let item = HandoverChange.Item(
        kind: words[next], first: words[next + 1], second: words[next + 2], geometry,
        byteCount: byteCount)
      guard let item else { throw .stateImpossible }
      if index < preservedCount {
        change.preserved.append(item)
      } else {
        change.unpreserved.append(item)
      }
      next += 3
    }
    return change
  }
}

extension HandoverChange.Item {
  /// The item as three words.
  var encoded: (kind: UInt64, first: UInt64, second: UInt64) {
    switch self {
    case .frames(let frames):
      return (1, frames.start.rawValue, frames.frameCount)
    case .area(let area):
      let second =
        UInt64(area.pageCount) | UInt64(area.flags) << 32 | UInt64(area.order.rawValue) << 48
      return (2, area.firstChunk.rawValue, second)
    case .block(let block):
      return (3, block.address.rawValue, UInt64(block.order.rawValue))
    case .keys(let first):
      return (4, first.rawValue, 0)
    }
  }

  /// The item of three words, in memory of `byteCount` bytes; nil if the words are not of that form.
  init?(
    kind: UInt64, first: UInt64, second: UInt64, _ geometry: PageGeometry, byteCount: UInt64
  ) {
    switch kind {
    case 1:
      let (end, overflow) = first.addingReportingOverflow(second)
      guard !overflow, end <= byteCount >> UInt64(geometry.shift) else { return nil }
      self = .frames(FrameRange(start: FrameNumber(first), frameCount: second))
    case 2:
      let order = second >> 48
      guard order <= UInt64(geometry.maximumOrder.rawValue), second >> 32 & 0xffff & ~3 == 0 else {
        return nil
      }
      self = .area(
        VmallocArea(
          firstChunk: PhysicalAddress(first), pageCount: UInt32(truncatingIfNeeded: second),
          flags: UInt16(truncatingIfNeeded: second >> 32), order: PageOrder(Int(order))))
    case 3:
      guard second <= UInt64(geometry.maximumOrder.rawValue) else { return nil }
      let block = PhysicalBlock(
        address: PhysicalAddress(first), order: PageOrder(Int(second)))
      guard block.isNaturallyAligned(in: geometry) else { return nil }
      self = .block(block)
    case 4:
      self = .keys(PhysicalAddress(first))
    default: return nil
    }
  }
}
