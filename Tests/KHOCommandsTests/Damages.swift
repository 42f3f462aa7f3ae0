import HandoverTestSupport
import KexecHandover
import Testing

/// Bytes to change in a sound handover, and the finding that must follow.
struct Damage: Sendable, CustomTestStringConvertible {
  let code: String
  var severity = "error"
  var isOfChunkList = false
  let apply: @Sendable (inout Patient) throws -> Void

  var testDescription: String { code }
}

let damages = treeDamages + entryDamages + deviceTreeDamages + recordDamages + chunkListDamages

private let treeDamages: [Damage] = [
  Damage(code: "pointer-unaligned") { patient in
    let slot = patient.slots(to: patient.deviceTree)[4]
    patient.image.setWord(at: slot, to: patient.image.word(at: slot) + 8)
  },
  Damage(code: "pointer-outside-memory") { patient in
    patient.image.setWord(at: patient.slots(to: patient.deviceTree)[4], to: 1 << 50)
  },
  Damage(code: "node-not-in-image") { patient in
    let leaf = patient.leaf(of: patient.deviceTree)
    patient.image.pages[leaf] = nil
    patient.image.absent.append((leaf, 4096))
  },
  Damage(code: "cycle") { patient in
    patient.image.setWord(at: patient.slots(to: patient.deviceTree)[3], to: patient.map)
  },
  Damage(code: "node-reached-twice") { patient in
    let slot = patient.slots(to: patient.deviceTree)[4]
    patient.image.setWord(at: slot + 8, to: patient.image.word(at: slot))
  },
  // Behind the last key of order 0, which is in slot 3 of the root.
  Damage(code: "key-impossible-order") { patient in
    patient.image.setWord(at: patient.map + 5 * 8, to: patient.leaf(of: patient.deviceTree))
  },
  // Key 0: slot 0 all the way down.
  Damage(code: "key-no-order") { patient in
    var table = patient.image.word(at: patient.map)
    for page in patient.spares.prefix(4) {
      patient.image.clearPage(at: page)
      patient.image.setWord(at: table, to: page)
      table = page
    }
    patient.image.setByte(at: table, to: 1)
  },
  Damage(code: "node-empty", severity: "note") { patient in
    let block = try #require(patient.blocks.first { $0.order == PageOrder(4) })
    patient.image.clearPage(at: patient.leaf(of: block.address.rawValue, order: 4))
  },
]

private let entryDamages: [Damage] = [
  Damage(code: "block-outside-memory") { $0.flip(0x60_0000) },
  Damage(code: "blocks-overlap") { $0.flip(try #require($0.spares.first), order: 1) },
  Damage(code: "block-over-node") { $0.flip($0.leaf(of: $0.deviceTree)) },
  Damage(code: "block-over-fdt") { $0.flip($0.deviceTree & ~8191, order: 1) },
  Damage(code: "blob-not-preserved") { patient in
    let blob = try #require(patient.subtrees.first { $0.subtree.name == "memblock" })
    patient.flip(blob.subtree.address.rawValue)
  },
  Damage(code: "fdt-not-preserved", severity: "warning") { $0.flip($0.deviceTree) },
]

private func writeRoot(
  _ writer: inout DeviceTreeWriter, map: UInt64
) throws(DeviceTreeWriterError) {
  try writer.property("compatible", string: "kho-v4")
  try writer.property("preserved-memory-map", nativeUInt64: map)
}

private let deviceTreeDamages: [Damage] = [
  Damage(code: "fdt-malformed") { $0.setHeader(8, to: 0x40) },
  Damage(code: "fdt-too-large") { $0.setHeader(4, to: 0x4000_0000) },
  Damage(code: "fdt-unreadable") { $0.setHeader(4, to: 0x10_0000) },
  Damage(code: "compatible-missing") { patient in
    let map = patient.map
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writer.property("preserved-memory-map", nativeUInt64: map)
    }
  },
  Damage(code: "version-unknown") { patient in
    let map = patient.map
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: "kho-v4;radix-v1")
      try writer.property("preserved-memory-map", nativeUInt64: map)
    }
  },
  Damage(code: "map-missing") { patient in
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: "kho-v4")
    }
  },
  Damage(code: "map-size") { patient in
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: "kho-v4")
      try writer.property("preserved-memory-map", nativeUInt32: 4096)
    }
  },
  Damage(code: "map-empty") { patient in
    let deviceTree = patient.deviceTree
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writeRoot(&writer, map: 0)
      try writer.beginNode("lost")
      try writer.property("preserved-data", nativeUInt64: deviceTree)
      try writer.property("blob-size", nativeUInt64: 8)
      try writer.endNode()
    }
  },
  Damage(code: "page-size-assumed", severity: "note") { patient in
    patient.image.machine = 183
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writeRoot(&writer, map: 0)
    }
  },
  Damage(code: "blob-address") { patient in
    let map = patient.map
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writeRoot(&writer, map: map)
      try writer.beginNode("blob")
      try writer.property("preserved-data", nativeUInt32: 1)
      try writer.endNode()
    }
  },
  Damage(code: "blob-size") { patient in
    let (map, deviceTree) = (patient.map, patient.deviceTree)
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writeRoot(&writer, map: map)
      try writer.beginNode("blob")
      try writer.property("preserved-data", nativeUInt64: deviceTree)
      try writer.endNode()
    }
  },
  Damage(code: "blob-outside-memory") { patient in
    let (map, deviceTree) = (patient.map, patient.deviceTree)
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writeRoot(&writer, map: map)
      try writer.beginNode("blob")
      try writer.property("preserved-data", nativeUInt64: deviceTree)
      try writer.property("blob-size", nativeUInt64: .max)
      try writer.endNode()
    }
  },
]

private let recordDamages: [Damage] = [
  // Pages of a memfd.
  Damage(code: "record-refers-unpreserved") { patient in
    for page in patient.spares.prefix(20) { patient.flip(page) }
  },
  Damage(code: "record-malformed") { patient in
    let blob = try #require(patient.subtrees.first { $0.subtree.name == "memblock" })
    patient.image.setByte(at: blob.subtree.address.rawValue, to: 0)
  },
  // "luo-v5" becomes "luo-v9".
  Damage(code: "record-format-unknown", severity: "note") { patient in
    let blob = try #require(patient.subtrees.first { $0.subtree.name == "LUO" })
    patient.image.setByte(at: blob.subtree.address.rawValue + 5, to: UInt8(ascii: "9"))
  },
]

/// Chunk: next at byte 0, order and count at 8, elements of start and bitmap from 16 on.
private let chunkListDamages: [Damage] = [
  Damage(code: "v1-bitmap-size-assumed", severity: "note", isOfChunkList: true) { _ in },
  Damage(code: "chunk-order", isOfChunkList: true) { patient in
    let orderAndCount = patient.map + 8
    patient.image.setWord(
      at: orderAndCount, to: patient.image.word(at: orderAndCount) | 200)
  },
  Damage(code: "chunk-count", isOfChunkList: true) { patient in
    let orderAndCount = patient.map + 8
    let order = patient.image.word(at: orderAndCount) & 0xffff_ffff
    patient.image.setWord(at: orderAndCount, to: order | 256 << 32)
  },
  Damage(code: "chunk-empty", severity: "note", isOfChunkList: true) { patient in
    let orderAndCount = patient.map + 8
    patient.image.setWord(
      at: orderAndCount, to: patient.image.word(at: orderAndCount) & 0xffff_ffff)
  },
  Damage(code: "bitmap-start", isOfChunkList: true) { $0.image.setWord(at: $0.map + 16, to: 4096) },
  Damage(code: "bitmap-repeated", isOfChunkList: true) { patient in
    let order = patient.image.word(at: patient.map + 8) & 0xffff_ffff
    let bitmap = try #require(patient.blocks.first { !patient.nodes.contains($0.address.rawValue) })
    patient.image.setWord(at: patient.map + 8, to: order | 2 << 32)
    patient.image.setWord(at: patient.map + 32, to: patient.image.word(at: patient.map + 16))
    patient.image.setWord(at: patient.map + 40, to: bitmap.address.rawValue)
  },
  Damage(code: "bitmap-empty", severity: "note", isOfChunkList: true) { patient in
    patient.image.clearPage(at: patient.image.word(at: patient.map + 24))
  },
  // A chunk that names itself as its bitmap.
  Damage(code: "node-reached-twice", isOfChunkList: true) {
    $0.image.setWord(at: $0.map + 24, to: $0.map)
  },
  Damage(code: "cycle", isOfChunkList: true) { $0.image.setWord(at: $0.map, to: $0.map) },
]
