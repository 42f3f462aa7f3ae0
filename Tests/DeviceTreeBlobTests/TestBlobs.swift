import DeviceTreeBlob
import Foundation

/// Makes a blob with the writer in a buffer of the size that it announces.
func makeBlob(
  _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
) throws -> [UInt8] {
  let count = try DeviceTreeWriter.exactByteCount(body)
  var bytes = [UInt8](repeating: 0xaa, count: count)
  let written = try write(into: &bytes, body)
  precondition(written == count)
  return bytes
}

/// Runs the writer over an array.
func write(
  into bytes: inout [UInt8],
  _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
) throws(DeviceTreeWriterError) -> Int {
  try withMutableBytes(of: &bytes) { memory throws(DeviceTreeWriterError) in
    try DeviceTreeWriter.write(into: &memory, body)
  }
}

/// Lends the bytes of an array for writing.
func withMutableBytes<Result, Failure: Error>(
  of bytes: inout [UInt8], _ body: (inout MutableRawSpan) throws(Failure) -> Result
) throws(Failure) -> Result {
  var span = bytes.mutableSpan
  // SAFETY: any bytes stored are valid UInt8s.
  var memory = unsafe span.mutableBytes
  return try body(&memory)
}

/// Lends the bytes of an array for reading.
func withBytes<Result, Failure: Error>(
  of bytes: [UInt8], _ body: (RawSpan) throws(Failure) -> Result
) throws(Failure) -> Result {
  // SAFETY: every byte of the array is initialised.
  unsafe try body(bytes.span.bytes)
}

func array(_ span: RawSpan) -> [UInt8] {
  // SAFETY: copied before the pointer ends.
  unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
}

/// A tree with every kind of value.
func writeSample(_ writer: inout DeviceTreeWriter) throws(DeviceTreeWriterError) {
  try writer.property("compatible", string: "kho-v4")
  try writer.property("preserved-memory-map", nativeUInt64: 0x0102_0304_0506_0708)
  try writer.beginNode("memblock")
  try writer.property("blob-size", nativeUInt64: 214)
  try writer.property("preserved-data", nativeUInt64: 0x7b_c000)
  try writer.endNode()
  try writer.beginNode("cells@1000")
  try writer.property("reg", bigEndianUInt64Pair: (0x1000, 0x2000))
  try writer.property("one", bigEndianUInt32: 0x1122_3344)
  try writer.property("long", bigEndianUInt64: 0x1122_3344_5566_7788)
  try writer.property("short", nativeUInt32: 0x1122_3344)
  try writer.property("flag")
  try writer.beginNode("inner")
  try writer.property("blob-size", nativeUInt64: 1)
  try writer.endNode()
  try writer.endNode()
}

/// The blob of that tree.
func makeSample() throws -> [UInt8] {
  try makeBlob { writer throws(DeviceTreeWriterError) in try writeSample(&writer) }
}

/// All of a tree as text, one line for each node and property: reads everything there is to read.
func outline(_ bytes: [UInt8]) throws -> [String] {
  try withBytes(of: bytes) { span in try outline(DeviceTree(validating: span)) }
}

func outline(_ tree: borrowing DeviceTree) throws -> [String] {
  var lines: [String] = []
  var nodes = tree.nodes
  while let node = try nodes.next() {
    lines.append(String(repeating: "  ", count: node.depth) + node.nameString + "/")
    var properties = node.properties
    while let property = try properties.next() {
      let value = array(property.bytes).map { String($0, radix: 16) }.joined(separator: " ")
      lines.append(
        String(repeating: "  ", count: node.depth + 1) + property.nameString + "=" + value)
    }
  }
  return lines
}

/// Validates, and when that succeeds walks everything by every accessor.
func readEverything(_ span: RawSpan) throws(DeviceTreeError) {
  let tree = try DeviceTree(validating: span)
  for index in -1...tree.reservationCount { _ = tree.reservation(at: index) }
  var nodes = tree.nodes
  while let node = try nodes.next() {
    _ = node.nameString
    var properties = node.properties
    while let property = try properties.next() {
      _ = property.nameString
      _ = property.nativeUInt64
      _ = property.nativeUInt32
      _ = property.bigEndianUInt64
      _ = property.bigEndianUInt32
      _ = property.bigEndianUInt64Pair
      for index in -1...(property.bigEndianCellCount ?? 0) { _ = property.bigEndianCell(at: index) }
      _ = property.string?.string
      if var strings = property.strings { while let next = strings.next() { _ = next.byteCount } }
    }
    var children = node.children
    while let child = try children.next() { _ = child.name.isStandardName }
  }
  try? tree.checkNamesAreUnique(readingAtMost: 1000)
}

func put(_ value: UInt32, at offset: Int, in bytes: inout [UInt8]) {
  for index in 0..<4 {
    bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * index))
  }
}

func word(at offset: Int, in bytes: [UInt8]) -> UInt32 {
  (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) }
}

/// A blob of these structure words and names, with nothing checked.
func rawBlob(structure: [UInt32], strings: [UInt8] = [], version: UInt32 = 17) -> [UInt8] {
  let stringsOffset = 56 + structure.count * 4
  let header: [UInt32] = [
    0xd00d_feed, UInt32(stringsOffset + strings.count), 56, UInt32(stringsOffset), 40, version, 16,
    0, UInt32(strings.count), UInt32(structure.count * 4), 0, 0, 0, 0,
  ]
  var bytes = [UInt8](repeating: 0, count: stringsOffset)
  for (index, value) in (header + structure).enumerated() { put(value, at: index * 4, in: &bytes) }
  return bytes + strings
}

/// A small generator whose seed makes a failure repeatable (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
