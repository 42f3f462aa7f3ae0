import DeviceTreeBlob
import Foundation
import Testing

/// A memory image in ELF core form, read just well enough for these tests.
private struct Image {
  let bytes: [UInt8]

  init(named name: String) throws {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")
    bytes = [UInt8](try Data(contentsOf: fixtures.appending(path: name)))
  }

  private func little(_ offset: Int, _ byteCount: Int) -> Int {
    (0..<byteCount).reversed().reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
  }

  /// The bytes from a physical address to the end of its segment.
  func bytes(from address: Int) -> [UInt8]? {
    let table = little(32, 8)
    for index in 0..<little(56, 2) {
      let entry = table + index * little(54, 2)
      let (type, offset) = (little(entry, 4), little(entry + 8, 8))
      let (physical, byteCount) = (little(entry + 24, 8), little(entry + 32, 8))
      if type == 1, address >= physical, address < physical + byteCount {
        return Array(bytes[(offset + address - physical)..<(offset + byteCount)])
      }
    }
    return nil
  }
}

/// Device trees as real kernels left them in memory.
@Suite struct FixtureTests {
  private func check(
    _ name: String, root: Int, compatible: String, map: UInt64, children: [String: [String: UInt64]]
  ) throws {
    let bytes = try #require(try Image(named: name).bytes(from: root))
    try withBytes(of: bytes) { span in
      let tree = try DeviceTree(validating: span)
      try tree.checkNamesAreUnique()
      #expect(try tree.root.property(named: "compatible")?.string?.equals(compatible) == true)
      #expect(try tree.root.property(named: "preserved-memory-map")?.nativeUInt64 == map)
      var found: [String: [String: UInt64]] = [:]
      var nodes = tree.root.children
      while let node = try nodes.next() {
        let isStandard = node.name.isStandardName
        #expect(isStandard)
        var values: [String: UInt64] = [:]
        var properties = node.properties
        while let property = try properties.next() {
          values[property.nameString] = property.nativeUInt64
        }
        found[node.nameString] = values
      }
      #expect(found == children)
    }
    // The tree written again has the same size and the same contents.
    var copy = [UInt8](repeating: 0, count: bytes.count + 64)
    let count = try withBytes(of: bytes) { span in
      let tree = try DeviceTree(validating: span)
      return try withMutableBytes(of: &copy) { memory in
        try tree.write(into: &memory, addingChild: "another") { (_) throws(DeviceTreeWriterError) in
        }
      }
    }
    #expect(try outline(Array(copy[..<count])) == outline(bytes) + ["  another/"])
  }

  @Test func linux618() throws {
    try check(
      "linux-6.18-kho-v1.elf", root: 8_032_256, compatible: "kho-v1", map: 7_344_128,
      children: ["kho_test": ["fdt": 5_914_624], "memblock": ["fdt": 8_036_352]])
  }

  @Test func linux71() throws {
    try check(
      "linux-7.1-kho-v3.elf", root: 5_283_840, compatible: "kho-v3", map: 5_246_976,
      children: [
        "memblock": ["blob-size": 214, "preserved-data": 8_114_176],
        "LUO": ["blob-size": 311, "preserved-data": 8_085_504],
        "kho_test": ["blob-size": 240, "preserved-data": 5_791_744],
        "kexec-metadata": ["blob-size": 73, "preserved-data": 5_312_512],
      ])
  }

  @Test func linux73() throws {
    try check(
      "linux-7.3-kho-v4.elf", root: 5_328_896, compatible: "kho-v4", map: 0x51_4000,
      children: [
        "memblock": ["blob-size": 214, "preserved-data": 0x7b_c000],
        "LUO": ["blob-size": 32, "preserved-data": 0x7b_4000],
        "kho_test": ["blob-size": 240, "preserved-data": 0x58_e000],
        "kexec-metadata": ["blob-size": 73, "preserved-data": 0x52_1000],
      ])
  }

  @Test func subtreeOfReservedMemory() throws {
    let image = try Image(named: "linux-7.3-kho-v4.elf")
    let bytes = try #require(image.bytes(from: 0x7b_c000))
    try withBytes(of: bytes) { span in
      let header = try DeviceTreeHeader(parsing: span.extracting(0..<DeviceTreeHeader.byteCount))
      #expect(header.totalByteCount == 214)
      let tree = try DeviceTree(validating: span)
      #expect(try tree.root.property(named: "compatible")?.string?.equals("memblock-v1") == true)
      var regions = tree.root.children
      var count = 0
      while let region = try regions.next() {
        count += 1
        #expect(try region.property(named: "compatible")?.string?.equals("reserve-mem-v1") == true)
        #expect(try region.property(named: "start")?.nativeUInt64 != nil)
        #expect(try region.property(named: "size")?.nativeUInt64 != nil)
      }
      #expect(count > 0)
    }
  }
}
