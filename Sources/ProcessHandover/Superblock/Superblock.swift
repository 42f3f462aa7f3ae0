public import Handover
public import MemoryAccess

/// The first page of a memory file: what it holds, and the pointer that a successor begins at.
///
/// Also the anchor of its handover. A change of more than one word is recorded here before it is
/// made, so that the next process that opens the file after a crash completes it.
public struct Superblock<Memory: WritablePhysicalMemory>: HandoverAnchor, ~Copyable {
  /// The memory whose first page this is.
  public let memory: Memory
  /// The page size.
  public let geometry: PageGeometry
  /// A number that identifies a memory file.
  public let identity: MemoryFileIdentity
  /// The state that is valid.
  public private(set) var state: SuperblockState

  /// What a program must know to use the file, a bit each.
  private(set) var features: UInt64

  /// The slot that is valid.
  private var slot: Int

  /// Writes the superblock of memory without a handover.
  ///
  /// - Precondition: the page size is one of 4 to 64 KiB, `byteCount` a multiple of it, and the first
  ///   page exists.
  init(
    formatting memory: Memory, geometry: PageGeometry, byteCount: UInt64,
    identity: MemoryFileIdentity
  ) {
    typealias Layout = SuperblockLayout
    precondition(Layout.pageShifts.contains(geometry.shift), "page size of no memory file")
    precondition(byteCount % UInt64(geometry.pageByteCount) == 0, "no whole number of pages")
    self.memory = memory
    self.geometry = geometry
    self.identity = identity
    self.state = SuperblockState(byteCount: byteCount)
    self.features = 0
    self.slot = 1
    let header = Self.header(geometry, identity)
    store(change: { _ in })
    memory.withWords(at: .zero, count: Layout.wordCount) { words in
      // The magic comes last: until then the file is not a memory file.
      for index in header.indices.reversed() { words.publish(header[index], at: index) }
    }
  }

  /// Reads the superblock of untrusted memory, and writes nothing.
  ///
  /// - Throws: ``SuperblockError``.
  public init(reading memory: Memory) throws(SuperblockError) {
    let contents = try SuperblockContents(reading: memory)
    self.memory = memory
    self.geometry = contents.geometry
    self.identity = contents.identity
    self.state = contents.state
    self.features = contents.features
    self.slot = contents.slot
  }

  private static func header(
    _ geometry: PageGeometry, _ identity: MemoryFileIdentity
  ) -> [UInt64] {
    typealias Layout = SuperblockLayout
    var words = [UInt64](repeating: 0, count: Layout.headerCheckWord + 1)
    words[Layout.magicWord] = Layout.magic
    words[Layout.versionWord] = Layout.versionWithoutFeatures
    words[Layout.pageShiftWord] = UInt64(geometry.shift)
    words[Layout.identityWords.lowerBound] = identity.high
    words[Layout.identityWords.lowerBound + 1] = identity.low
    words[Layout.headerCheckWord] = SuperblockContents.headerCheck(words)
    return words
  }

  /// Marks the file, so that programs that do not know `feature` refuse it.
  ///
  /// Three words change. A reader that finds one or two of them changed reads the header as it was, since
  /// its check value is that of the old one; the next call completes the change.
  mutating func require(feature: UInt64) {
    typealias Layout = SuperblockLayout
    guard features & feature == 0 else { return }
    features |= feature
    memory.withWords(at: .zero, count: Layout.headerCheckWord + 1) { words in
      var header = (0...Layout.headerCheckWord).map { words.load($0) }
      header[Layout.featuresWord] = features
      header[Layout.versionWord] = Layout.version
      header[Layout.headerCheckWord] = SuperblockContents.headerCheck(header)
      for index in [Layout.featuresWord, Layout.versionWord, Layout.headerCheckWord] {
        words.publish(header[index], at: index)
      }
    }
  }

  /// Changes the state: all of `change` becomes valid at one instant.
  mutating func store(change: (inout SuperblockState) -> Void) {
    typealias Layout = SuperblockLayout
    change(&state)
    state.sequence &+= 1
    let next = 1 - slot
    let words = state.words()
    let start = PhysicalAddress(UInt64(Layout.slotStart(next) * 8))
    memory.withWords(at: start, count: words.count) { memory in
      for (index, word) in words.enumerated() { memory.publish(word, at: index) }
    }
    // The one store that makes it valid.
    let selector = PhysicalAddress(UInt64(Layout.selectorWord * 8))
    memory.withWords(at: selector, count: 1) { $0.publish(Layout.selectors[next], at: 0) }
    slot = next
  }

  // MARK: One handover in the place of another

  /// Says that a handover is being built beside the one that counts.
  mutating func beginNext() {
    store { $0.isBuildingNext = true }
  }

  /// Makes the handover that was built the one that counts.
  mutating func switchToNext() {
    store {
      $0.deviceTree = $0.nextDeviceTree
      $0.deviceTreeCheck = $0.nextDeviceTreeCheck
      $0.nextDeviceTree = .zero
      $0.isBuildingNext = false
    }
  }

  /// Forgets a handover whose builder was killed. Its frames are free again: nothing points to them.
  mutating func forgetNext() {
    store {
      $0.isBuildingNext = false
      $0.nextDeviceTree = .zero
      // It was one of the other's.
      $0.change = nil
    }
  }

  // MARK: The anchor of a handover

  /// The handover is that of a memory file.
  public var isOfMemoryFile: Bool { true }

  /// The root device tree of the handover that is being written.
  public var deviceTree: PhysicalAddress {
    state.isBuildingNext ? state.nextDeviceTree : state.deviceTree
  }

  /// Records `change`; a process that opens the file from now on completes it.
  public mutating func begin(_ change: HandoverChange) {
    store { $0.change = change }
  }

  /// Makes `deviceTree` the root device tree.
  public mutating func switchDeviceTree(to deviceTree: PhysicalAddress) {
    let check = memory.deviceTreeCheck(at: deviceTree) ?? 0
    store {
      if $0.isBuildingNext {
        $0.nextDeviceTree = deviceTree
        $0.nextDeviceTreeCheck = check
      } else {
        $0.deviceTree = deviceTree
        $0.deviceTreeCheck = check
      }
    }
  }

  /// Says that the change is complete.
  public mutating func end() {
    store { $0.change = nil }
  }
}

extension PhysicalMemory {
  /// The check value of the device tree at `address`, of the length that its header records; nil if that length
  /// is not one of a handover's device tree.
  package func deviceTreeCheck(at address: PhysicalAddress) -> UInt64? {
    guard let start = PhysicalRange(checkedStart: address, byteCount: 8),
      let word = withBytes(in: start, { $0.uint32(atByte: 4) }) ?? nil
    else { return nil }
    let byteCount = UInt64(UInt32(bigEndian: word))
    guard byteCount <= RootDeviceTree.largestByteCount,
      let range = PhysicalRange(checkedStart: address, byteCount: byteCount)
    else { return nil }
    return withBytes(in: range) { $0.checkValue }
  }
}

/// A number that identifies a memory file.
public struct MemoryFileIdentity: Hashable, Sendable {
  /// The upper 64 bits.
  public let high: UInt64
  /// The lower 64 bits.
  public let low: UInt64

  /// A number that no other file has.
  static func random() -> MemoryFileIdentity {
    MemoryFileIdentity(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
  }

  /// The number of these halves.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}
