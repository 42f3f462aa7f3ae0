import Handover
import Machine
import MemoryAccess

/// Where the handover hangs: one word, in the form in which Linux looks for it (a `setup_data` entry
/// of type 10), and beside it the change that is being made, so that a reset in the middle of one
/// leaves a change that the next kernel completes.
///
///     setup_data   next · type 10, length 32 · root device tree · its size · scratch array · its size
///     mark         "this memory was set up by TinyKernel"
///     change       0 or 1 · device tree · number of items to mark, to unmark · the items, 4 words each
struct KernelAnchor: HandoverAnchor {
  private static let mark: UInt64 = 0x4b79_6e69_5421_4f48
  /// Where the word is, in words from the page's start: the real one, or the draft.
  private var word = 2
  private let page: PhysicalAddress
  private let changePage: PhysicalAddress
  private let memory: Memory

  /// The anchor of the kernel whose image starts at `image`.
  init(of image: UInt64, in memory: Memory) {
    page = PhysicalAddress(image + UInt64(BOOT_ANCHOR))
    changePage = PhysicalAddress(image + UInt64(BOOT_CHANGE))
    self.memory = memory
  }

  /// Where the `setup_data` entry is.
  var setupData: PhysicalAddress { page }

  /// The array of scratch areas.
  var scratchArray: PhysicalRange {
    PhysicalRange(start: PhysicalAddress(loadWord(4)), byteCount: loadWord(5))
  }

  /// Writes everything but the address of a device tree, with the array of `areas`, and no change.
  func setUp(_ areas: [ScratchArea]) {
    let array = PhysicalAddress(page.rawValue - UInt64(BOOT_ANCHOR) + UInt64(BOOT_SCRATCH))
    let scratchArray = PhysicalRange(
      start: array, byteCount: UInt64(areas.count * ScratchArea.byteCount))
    ScratchArea.writeArray(areas, at: array, in: memory)
    SetupDataRecord(deviceTree: .zero, scratchAreas: scratchArray).write(at: page, in: memory)
    setWord(6, Self.mark)
    memory.withWords(at: changePage, count: 512) { $0.publish(0, at: 0) }
  }

  /// What a reset left; nil when this memory was not set up.
  var survivor: BootInformation.Handover? {
    guard loadWord(6) == Self.mark, loadWord(2) != 0,
      let array = PhysicalRange(checkedStart: PhysicalAddress(loadWord(4)), byteCount: loadWord(5))
    else { return nil }
    return BootInformation.Handover(
      deviceTree: PhysicalAddress(loadWord(2)), scratchArray: array)
  }

  /// An anchor that no successor reads, for a handover that is not complete yet.
  func draft() -> KernelAnchor {
    var draft = self
    draft.word = 7
    draft.setWord(7, 0)
    return draft
  }

  /// Makes a draft the real thing, at one instant.
  mutating func publish() {
    let address = loadWord(word)
    word = 2
    setWord(2, address)
  }

  // MARK: HandoverAnchor

  var deviceTree: PhysicalAddress { PhysicalAddress(loadWord(word)) }

  mutating func switchDeviceTree(to deviceTree: PhysicalAddress) {
    setWord(word, deviceTree.rawValue)
  }

  mutating func begin(_ change: HandoverChange) {
    memory.withWords(at: changePage, count: 512) { words in
      words.publish(change.deviceTree?.rawValue ?? 0, at: 1)
      words.publish(UInt64(change.preserved.count), at: 2)
      words.publish(UInt64(change.unpreserved.count), at: 3)
      var place = 4
      for index in 0..<change.preserved.count {
        change.preserved[index].write(to: words, at: place)
        place += 4
      }
      for index in 0..<change.unpreserved.count {
        change.unpreserved[index].write(to: words, at: place)
        place += 4
      }
      words.publish(1, at: 0)
    }
  }

  mutating func end() {
    memory.withWords(at: changePage, count: 512) { $0.publish(0, at: 0) }
  }

  /// The change that was begun and not ended; nil if none exists.
  var pendingChange: HandoverChange? {
    memory.withWords(at: changePage, count: 512) { words in
      guard words.load(0) == 1 else { return nil }
      var change = HandoverChange()
      if words.load(1) != 0 { change.deviceTree = PhysicalAddress(words.load(1)) }
      let preservedCount = min(Int(words.load(2)), HandoverChange.Items.capacity)
      let unpreservedCount = min(Int(words.load(3)), HandoverChange.Items.capacity)
      for index in 0..<preservedCount {
        change.preserved.append(HandoverChange.Item(words, at: 4 + 4 * index))
      }
      for index in 0..<unpreservedCount {
        let place = 4 + 4 * (preservedCount + index)
        change.unpreserved.append(HandoverChange.Item(words, at: place))
      }
      return change
    }
  }

  private func loadWord(_ index: Int) -> UInt64 {
    memory.withWords(at: page, count: 512) { $0.load(index) }
  }

  private func setWord(_ index: Int, _ value: UInt64) {
    memory.withWords(at: page, count: 512) { $0.publish(value, at: index) }
  }
}

extension HandoverChange.Item {
  fileprivate func write(to words: borrowing MemoryWords, at place: Int) {
    switch self {
    case .block(let block):
      words.publish(1, at: place)
      words.publish(block.address.rawValue, at: place + 1)
      words.publish(UInt64(block.order.rawValue), at: place + 2)
    case .frames(let frames):
      words.publish(2, at: place)
      words.publish(frames.start.rawValue, at: place + 1)
      words.publish(frames.frameCount, at: place + 2)
    case .area(let area):
      words.publish(3, at: place)
      words.publish(area.firstChunk.rawValue, at: place + 1)
      words.publish(UInt64(area.pageCount), at: place + 2)
      words.publish(UInt64(area.flags) << 32 | UInt64(area.order.rawValue), at: place + 3)
    case .keys(let first):
      words.publish(4, at: place)
      words.publish(first.rawValue, at: place + 1)
    }
  }

  fileprivate init(_ words: borrowing MemoryWords, at place: Int) {
    let first = words.load(place + 1)
    let second = words.load(place + 2)
    switch words.load(place) {
    case 1:
      self = .block(
        PhysicalBlock(address: PhysicalAddress(first), order: PageOrder(Int(second))))
    case 2:
      self = .frames(FrameRange(start: FrameNumber(first), frameCount: second))
    case 3:
      let third = words.load(place + 3)
      self = .area(
        VmallocArea(
          firstChunk: PhysicalAddress(first), pageCount: UInt32(truncatingIfNeeded: second),
          flags: UInt16(truncatingIfNeeded: third >> 32),
          order: PageOrder(Int(third & 0xffff_ffff))))
    default:
      self = .keys(PhysicalAddress(first))
    }
  }
}
