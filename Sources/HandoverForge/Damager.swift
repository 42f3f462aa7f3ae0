import DeviceTreeBlob
import Handover
import MemoryAccess
import MemoryImages
import PageAllocation
import PreservedPages

/// Damages a handover that was just forged.
struct Damager: ~Copyable {
  let memory: AnonymousMemory
  let geometry: PageGeometry
  /// The bytes of the root device tree, in whole pages.
  let deviceTree: PhysicalRange
  /// The tree's root.
  let map: PhysicalAddress
  /// Folios of the self-test, and of the first file.
  let testFolios: [PhysicalBlock]
  let fileFolios: [PhysicalBlock]
  /// The record of the first file.
  let fileRecord: PhysicalAddress?
  let scratchAreas: [ScratchArea]
  /// Free frames, for nodes.
  var frames: BuddyAllocator<AnonymousMemory>

  private var shape: RadixGeometry { RadixGeometry(geometry) }

  /// - Returns: where the boot loader says that the root device tree is.
  /// - Throws: ``ForgeError/nothingToDamage(_:)`` where the handover has nothing of the kind.
  mutating func apply(_ damage: ForgeDamage) throws(ForgeError) -> PhysicalRange {
    let page = UInt64(geometry.pageByteCount)
    let path = slots(to: PhysicalBlock(address: deviceTree.start, order: .zero))
    switch damage {
    case .deviceTreeUnreadable:
      let beyond = (memory.range.last?.rawValue ?? 0) + 1 + (64 << 20)
      return PhysicalRange(start: PhysicalAddress(beyond), byteCount: deviceTree.byteCount)
    case .deviceTreeTooLarge: setHeader(4, to: 0x4000_0000)
    case .deviceTreeMalformed: setHeader(8, to: 0x40)
    case .deviceTreeNotPreserved:
      try setBit(PhysicalBlock(address: deviceTree.start, order: .zero), false)
    case .compatibleMissing: try rewrite { $0.compatible = nil }
    case .versionUnknown: try rewrite { $0.compatible = "kho-v9" }
    case .mapMissing: try rewrite { $0.map = .absent }
    case .mapSize: try rewrite { $0.map = .short }
    case .mapEmpty: try rewrite { $0.map = .value(0) }
    case .blobAddress: try rewrite { $0.first = .shortAddress }
    case .blobSize: try rewrite { $0.first = .withoutSize }
    case .blobOutsideMemory: try rewrite { $0.first = .hugeSize }
    case .blobNotPreserved:
      let blob = try subtree(LiveUpdateRecord.subtreeName, damage)
      try setBit(PhysicalBlock(address: blob, order: .zero), false)
    case .pointerUnaligned: set(path[path.count - 1], to: word(path[path.count - 1]) + 8)
    case .pointerOutsideMemory: set(path[path.count - 1], to: 1 << 50)
    case .cycle: set(path[path.count - 2], to: map.rawValue)
    case .nodeReachedTwice:
      set(path[path.count - 1].advanced(byBytes: 8), to: word(path[path.count - 1]))
    case .nodeEmpty:
      let folio = try folio(testFolios, ofOrder: 10, damage)
      clear(word(slots(to: folio)[path.count - 1]), page)
    case .keyNoOrder: try setBit(forKey: RadixKey(rawValue: 0))
    case .keyImpossibleOrder:
      // Behind the last key of order 0.
      set(map.advanced(byBytes: 5 * 8), to: word(path[path.count - 1]))
    case .blockOutsideMemory:
      let beyond = (memory.range.last?.rawValue ?? 0) + 1 + (64 << 20)
      try setBit(PhysicalBlock(address: PhysicalAddress(beyond), order: .zero), true)
    case .blocksOverlap:
      let folio = try folio(testFolios, ofOrder: 5, damage)
      let inside = folio.address.advanced(byBytes: page)
      try setBit(PhysicalBlock(address: inside, order: .zero), true)
    case .blockOverNode:
      let leaf = PhysicalAddress(word(path[path.count - 1]))
      try setBit(PhysicalBlock(address: leaf, order: .zero), true)
    case .blockOverDeviceTree:
      let pair = PhysicalAddress(deviceTree.start.rawValue & ~(2 * page - 1))
      try setBit(PhysicalBlock(address: pair, order: PageOrder(1)), true)
    case .blobRepeated: try rewrite { $0.repeatsFirst = true }
    case .deviceTreePastPage: return try longDeviceTree()
    case .blockInScratch:
      guard let area = scratchAreas.last else { throw .nothingToDamage(damage.rawValue) }
      try setBit(PhysicalBlock(address: area.range.start, order: .zero), true)
    case .recordMalformed, .recordFormatUnknown, .recordRefersUnpreserved,
      .recordRefersOutsideMemory, .recordEntryDiffers, .recordRefersTwice, .recordNameRepeated,
      .recordUncounted, .recordChecksum, .memfdSize, .memfdFlags, .memfdIndex, .memfdOverlap,
      .memfdOrder, .memfdIncomplete, .memfdContent:
      try damageRecord(damage)
    }
    return deviceTree
  }

  // MARK: What there is

  func folio(
    _ folios: [PhysicalBlock], ofOrder order: Int, _ damage: ForgeDamage
  ) throws(ForgeError) -> PhysicalBlock {
    guard let folio = folios.first(where: { $0.order == PageOrder(order) }) else {
      throw .nothingToDamage(damage.rawValue)
    }
    return folio
  }

  func root() throws(ForgeError) -> RootDeviceTree {
    let parsed = memory.withBytes(in: deviceTree) { bytes in try? RootDeviceTree(parsing: bytes) }
    guard let parsed, let tree = parsed else { throw .nothingToDamage("the root device tree") }
    return tree
  }

  func subtree(
    _ name: String, _ damage: ForgeDamage
  ) throws(ForgeError) -> PhysicalAddress {
    guard let found = try root().subtrees.first(where: { $0.name == name }) else {
      throw .nothingToDamage(damage.rawValue)
    }
    return found.address
  }

  // MARK: Words

  func word(_ address: PhysicalAddress) -> UInt64 {
    memory.withWords(at: address, count: 1) { $0.load(0) }
  }

  func set(_ address: PhysicalAddress, to value: UInt64) {
    memory.withWords(at: address, count: 1) { $0.publish(value, at: 0) }
  }

  func setByte(_ address: PhysicalAddress, to value: UInt8) {
    memory.withMutableBytes(in: PhysicalRange(start: address, byteCount: 1)) { bytes in
      bytes.storeBytes(of: value, toByteOffset: 0, as: UInt8.self)
    }
  }

  /// Stores a big-endian word of the root device tree's header.
  private func setHeader(_ offset: UInt64, to value: UInt32) {
    for index in 0..<4 as Range<UInt64> {
      setByte(
        deviceTree.start.advanced(byBytes: offset + index),
        to: UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)))
    }
  }

  func clear(_ address: UInt64, _ byteCount: UInt64) {
    memory.withWords(at: PhysicalAddress(address), count: Int(byteCount / 8)) { words in
      for index in 0..<words.count { words.publish(0, at: index) }
    }
  }

  // MARK: The tree

  /// The words that lead from the root to the leaf of a block.
  private func slots(to block: PhysicalBlock) -> [PhysicalAddress] {
    let key = RadixKey(block, in: geometry)
    var node = map
    var slots: [PhysicalAddress] = []
    for level in (1...shape.rootLevel).reversed() {
      let slot = node.advanced(byBytes: UInt64(shape.slot(of: key, level: level)) * 8)
      slots.append(slot)
      node = PhysicalAddress(word(slot))
      if node == .zero { break }
    }
    return slots
  }

  mutating func setBit(_ block: PhysicalBlock, _ isSet: Bool) throws(ForgeError) {
    try setBit(forKey: RadixKey(block, in: geometry), isSet)
  }

  /// Sets the bit of a key, whatever it names, with the nodes it needs.
  private mutating func setBit(forKey key: RadixKey, _ isSet: Bool = true) throws(ForgeError) {
    var node = map
    for level in (1...shape.rootLevel).reversed() {
      let slot = node.advanced(byBytes: UInt64(shape.slot(of: key, level: level)) * 8)
      if word(slot) == 0 {
        guard let frame = frames.takeFrame() else { throw .placeFull(frameCount: 1) }
        clear(frame.rawValue, UInt64(geometry.pageByteCount))
        set(slot, to: frame.rawValue)
      }
      node = PhysicalAddress(word(slot))
    }
    let bit = key.rawValue & (shape.leafKeyCount - 1)
    let place = node.advanced(byBytes: bit / 64 * 8)
    let mask = (1 as UInt64) << (bit % 64)
    set(place, to: isSet ? word(place) | mask : word(place) & ~mask)
  }

  // MARK: The root device tree

  /// What is written of a root device tree.
  private struct Shape {
    enum Map {
      case value(UInt64)
      case absent
      case short
    }
    enum First {
      case sound
      case shortAddress
      case withoutSize
      case hugeSize
    }
    var compatible: String?
    var map: Map
    var first = First.sound
    /// Whether another node has the name of the first.
    var repeatsFirst = false
    /// How many bytes a property has that no reader looks for.
    var paddingByteCount = 0
  }

  /// Moves the root device tree to two pages of its own, which it fills more than one of. What points to it has the size
  /// of one page, which is what Linux passes on.
  private mutating func longDeviceTree() throws(ForgeError) -> PhysicalRange {
    guard let pages = frames.takeBlock(PageOrder(1)) else { throw .placeFull(frameCount: 2) }
    try setBit(pages, true)
    let place = pages.range(in: geometry)
    try rewrite(into: place) { $0.paddingByteCount = geometry.pageByteCount }
    clear(deviceTree.start.rawValue, deviceTree.byteCount)
    return PhysicalRange(start: place.start, byteCount: UInt64(geometry.pageByteCount))
  }

  private func rewrite(
    into place: PhysicalRange? = nil, _ change: (inout Shape) -> Void
  ) throws(ForgeError) {
    let place = place ?? deviceTree
    let tree = try root()
    var shape = Shape(compatible: tree.compatible, map: .value(map.rawValue))
    change(&shape)
    clear(place.start.rawValue, place.byteCount)
    do throws(DeviceTreeWriterError) {
      _ = try memory.withMutableBytes(in: place) { (bytes) throws(DeviceTreeWriterError) in
        try DeviceTreeWriter.write(into: &bytes) { (writer) throws(DeviceTreeWriterError) in
          if let compatible = shape.compatible {
            try writer.property("compatible", string: compatible)
          }
          switch shape.map {
          case .value(let value): try writer.property("preserved-memory-map", nativeUInt64: value)
          case .short: try writer.property("preserved-memory-map", nativeUInt32: 4096)
          case .absent: break
          }
          if shape.paddingByteCount > 0 {
            try writer.property(
              "padding", string: String(repeating: "x", count: shape.paddingByteCount))
          }
          let repeated = shape.repeatsFirst ? tree.subtrees.prefix(1) : []
          for (index, subtree) in (tree.subtrees + repeated).enumerated() {
            let first = index == 0 ? shape.first : .sound
            try writer.beginNode(subtree.name)
            switch first {
            case .shortAddress: try writer.property("preserved-data", nativeUInt32: 1)
            default: try writer.property("preserved-data", nativeUInt64: subtree.address.rawValue)
            }
            switch first {
            case .withoutSize, .shortAddress: break
            case .hugeSize: try writer.property("blob-size", nativeUInt64: .max)
            case .sound: try writer.property("blob-size", nativeUInt64: subtree.byteCount ?? 0)
            }
            try writer.endNode()
          }
        }
      }
    } catch {
      throw .handover(.deviceTreeUnwritable(error))
    }
  }
}
