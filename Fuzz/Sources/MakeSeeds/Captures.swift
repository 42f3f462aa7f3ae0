internal import KexecHandover

/// The root device tree, and the blobs that are device trees.
func deviceTrees(
  of survey: HandoverSurvey, at address: PhysicalAddress, in image: MemoryImage
) -> [(name: String, bytes: [UInt8])] {
  var places = survey.subtrees.map { ($0.subtree.name, $0.subtree.address) }
  places.append(("root", address))
  return places.compactMap { name, address in
    let header = image.withBytes(in: PhysicalRange(start: address, byteCount: 40)) { bytes in
      try? DeviceTreeHeader(parsing: bytes)
    }
    guard let byteCount = (header ?? nil)?.totalByteCount else { return nil }
    let range = PhysicalRange(start: address, byteCount: UInt64(byteCount))
    return image.withBytes(in: range) { $0.copiedBytes() }.map { (name, $0) }
  }
}

/// An ELF file with the root device tree, what marks the entries, the records, and nothing else of
/// the memory; of a tree, one path from the root to a leaf.
func smallCapture(
  of survey: HandoverSurvey, at address: PhysicalAddress, in image: MemoryImage
) -> [UInt8] {
  var pages: [PhysicalAddress: [UInt8]] = [:]
  func page(_ address: PhysicalAddress) -> [UInt8] {
    image.withBytes(in: survey.geometry.page(at: address)) { $0.copiedBytes() } ?? []
  }
  pages[address] = page(address)
  if let map = survey.deviceTree?.map,
    let shape = survey.deviceTree?.version?.radixGeometry(survey.geometry)
  {
    var node = map
    for level in (0..<shape.levelCount).reversed() {
      var bytes = page(node)
      if level > 0 {
        var last = 0
        for slot in 0..<shape.slotCount where bytes.word(slot) != 0 { last = slot }
        let pointer = bytes.word(last)
        for index in bytes.indices where index / 8 != last { bytes[index] = 0 }
        pages[node] = bytes
        node = PhysicalAddress(pointer)
      } else {
        pages[node] = bytes
      }
    }
  } else {
    for node in survey.pages?.nodes ?? [] { pages[node] = page(node) }
  }
  // The records, where there are any.
  let tracing = TracingMemory(image, geometry: survey.geometry)
  _ = survey.checkRecords(in: tracing)
  for address in tracing.pages.subtracting(survey.pages?.nodes ?? []) {
    pages[address] = page(address)
  }
  return elfFile(pages, memoryByteCount: 64 << 20)
}

extension [UInt8] {
  func word(_ index: Int) -> UInt64 {
    withRawSpan { $0.word(atByte: index * 8) } ?? 0
  }

  mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
    for shift in stride(from: 0, to: Value.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> Value(shift)))
    }
  }
}

/// An ELF core in which `pages` are stored, and the rest of memory only exists.
private func elfFile(_ pages: [PhysicalAddress: [UInt8]], memoryByteCount: UInt64) -> [UInt8] {
  var segments: [(start: UInt64, stored: [UInt8], byteCount: UInt64)] = []
  var end: UInt64 = 0
  for (address, bytes) in pages.sorted(by: { $0.key < $1.key }) {
    if address.rawValue > end { segments.append((end, [], address.rawValue - end)) }
    segments.append((address.rawValue, bytes, UInt64(bytes.count)))
    end = address.rawValue + UInt64(bytes.count)
  }
  segments.append((end, [], memoryByteCount - end))

  var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
  file.append(littleEndian: 4 as UInt16)
  file.append(littleEndian: 62 as UInt16)
  file.append(littleEndian: 1 as UInt32)
  file.append(littleEndian: 0 as UInt64)
  file.append(littleEndian: 64 as UInt64)
  file.append(littleEndian: 0 as UInt64)
  file.append(littleEndian: 0 as UInt32)
  for field in [64, 56, UInt16(segments.count), 0, 0, 0] as [UInt16] {
    file.append(littleEndian: field)
  }
  var offset = UInt64(64 + 56 * segments.count)
  for segment in segments {
    file.append(littleEndian: 1 as UInt32)
    file.append(littleEndian: 0 as UInt32)
    for field in [
      offset, 0, segment.start, UInt64(segment.stored.count), segment.byteCount, 0,
    ] {
      file.append(littleEndian: field)
    }
    offset += UInt64(segment.stored.count)
  }
  return segments.reduce(into: file) { $0 += $1.stored }
}
