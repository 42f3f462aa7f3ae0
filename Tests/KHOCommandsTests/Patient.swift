import HandoverTestSupport
import KexecHandover
import Testing

/// A handover of a real kernel, about to be damaged.
struct Patient {
  var image: ImageBuilder
  /// Where the root device tree is.
  let deviceTree: UInt64
  /// The tree's root, or the first chunk.
  let map: UInt64
  let subtrees: [HandoverSurvey.Subtree]
  let nodes: Set<UInt64>
  let blocks: [PhysicalBlock]

  static let page = PageGeometry.pages4KiB
  static let shape = RadixGeometry(.pages4KiB)

  init(_ fixture: Fixture) throws {
    let memory = try fixture.open()
    let address = try #require(HandoverScanner(memory).addresses.first)
    let survey = HandoverSurvey(.memory(address), in: memory, geometry: Self.page)
    let pages = try #require(survey.pages)
    image = ImageBuilder(of: memory)
    image.machine = 62
    deviceTree = address.rawValue
    map = try #require(survey.deviceTree?.map).rawValue
    subtrees = survey.subtrees
    nodes = Set(pages.nodes.map(\.rawValue))
    var blocks: [PhysicalBlock] = []
    pages.forEachBlock(in: memory) { blocks.append($0) }
    self.blocks = blocks
  }

  /// Preserved single pages that hold neither nodes nor device tree nor blobs, two by two.
  var spares: [UInt64] {
    let blobs = subtrees.map { $0.subtree.address.rawValue & ~4095 }
    let taken = nodes.union(blobs).union([deviceTree])
    let pages = Set(blocks.filter { $0.order == .zero }.map(\.address.rawValue))
    let free = pages.subtracting(taken)
    return free.filter { $0 & 4096 == 0 && free.contains($0 + 4096) }.sorted()
  }

  /// The pointers on the way from the root to the leaf that holds the block's bit.
  func slots(to address: UInt64, order: Int = 0) -> [UInt64] {
    let key = RadixKey(PhysicalAddress(address), order: PageOrder(order), in: Self.page)
    var node = map
    return (1...Self.shape.rootLevel).reversed().map { level in
      let slot = node + UInt64(Self.shape.slot(of: key, level: level)) * 8
      node = image.word(at: slot)
      return slot
    }
  }

  /// The leaf that holds the block's bit.
  func leaf(of address: UInt64, order: Int = 0) -> UInt64 {
    image.word(at: slots(to: address, order: order).last ?? 0)
  }

  /// Turns the bit of a block around.
  mutating func flip(_ address: UInt64, order: Int = 0) {
    let key = RadixKey(PhysicalAddress(address), order: PageOrder(order), in: Self.page)
    let bit = key.rawValue & (Self.shape.leafKeyCount - 1)
    let byte = leaf(of: address, order: order) + bit / 8
    image.setByte(at: byte, to: image.byte(at: byte) ^ 1 << UInt8(bit % 8))
  }

  /// Writes another root device tree.
  mutating func writeDeviceTree(
    at address: UInt64? = nil,
    _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws {
    image.pages[address ?? deviceTree] = try deviceTreePage(body)
  }

  /// Stores a big-endian word of the device tree's header.
  mutating func setHeader(_ offset: UInt64, to value: UInt32) {
    for index in 0..<4 as Range<UInt64> {
      image.setByte(
        at: deviceTree + offset + index, to: UInt8(truncatingIfNeeded: value >> (24 - index * 8)))
    }
  }
}
