internal import KexecHandover

/// Raw memory with a sound handover whose pages are so small that all of it takes a few KiB.
///
///     device tree │ 1 KiB: blob │ 2 KiB: nodes …
func toyTree(_ version: ABIVersion, _ geometry: PageGeometry, at base: UInt64) throws -> [UInt8] {
  let byteCount: UInt64 = geometry.shift < 8 ? 8 << 10 : 20 << 10
  let range = PhysicalRange(start: PhysicalAddress(base), byteCount: byteCount)
  let memory = try AnonymousMemory(range)
  guard let shape = version.radixGeometry(geometry) else { fatalError("not a tree") }
  var frames = FramePool(
    of: PhysicalRange(start: PhysicalAddress(base + 2048), byteCount: byteCount - 2048),
    in: memory, geometry: geometry)
  var tree = try RadixTree(in: memory, geometry: shape, from: &frames)
  let blob = base + 1024
  let orders = [
    (base, 9 - geometry.shift), (blob, 0), (base + byteCount - 2 << geometry.shift, 1),
  ]
  for (address, order) in orders {
    let key = RadixKey(PhysicalAddress(address), order: PageOrder(order), in: geometry)
    _ = try? tree.insert(key, from: &frames)
  }
  try writeDeviceTree(version, map: tree.root.rawValue, blob: blob, at: base, in: memory)
  return memory.withBytes(in: range) { $0.copiedBytes() } ?? []
}

/// Raw memory with a chunk list: pages of 512 bytes, one chunk, bitmaps of a page.
func toyChunkList(at base: UInt64) throws -> [UInt8] {
  let range = PhysicalRange(start: PhysicalAddress(base), byteCount: 4096)
  let memory = try AnonymousMemory(range)
  let chunk = base + 1024
  memory.withWords(at: PhysicalAddress(chunk), count: 6) { words in
    words.publish(0, at: 0)
    words.publish(2 << 32, at: 1)
    words.publish(0, at: 2)
    words.publish(base + 1536, at: 3)
    words.publish(4096 << 9, at: 4)
    words.publish(base + 2048, at: 5)
  }
  memory.withWords(at: PhysicalAddress(base + 1536), count: 1) { words in
    words.publish(0b11 << (base >> 9), at: 0)
  }
  memory.withWords(at: PhysicalAddress(base + 2048), count: 1) { $0.publish(6, at: 0) }
  try writeDeviceTree(.v1, map: chunk, blob: base + 512, at: base, in: memory)
  return memory.withBytes(in: range) { $0.copiedBytes() } ?? []
}

private func writeDeviceTree(
  _ version: ABIVersion, map: UInt64, blob: UInt64, at base: UInt64, in memory: AnonymousMemory
) throws {
  let room = PhysicalRange(start: PhysicalAddress(base), byteCount: 512)
  try memory.withMutableBytes(in: room) { bytes in
    _ = try DeviceTreeWriter.write(into: &bytes) { writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: version.compatible)
      try writer.property("preserved-memory-map", nativeUInt64: map)
      try writer.beginNode("blob")
      try writer.property(version.subtreeAddressProperty, nativeUInt64: blob)
      if let size = version.subtreeSizeProperty { try writer.property(size, nativeUInt64: 32) }
      try writer.endNode()
    }
  }
}
