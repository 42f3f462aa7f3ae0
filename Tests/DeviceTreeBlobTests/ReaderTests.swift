import DeviceTreeBlob
import Testing

@Suite struct ReaderTests {
  @Test func everyValueComesBack() throws {
    let blob = try makeSample()
    try withBytes(of: blob) { span in
      let tree = try DeviceTree(validating: span)
      #expect(tree.totalByteCount == blob.count)
      let root = tree.root
      #expect(root.nameString == "" && root.depth == 0)
      let compatible = try root.property(named: "compatible")
      #expect(compatible?.string?.equals("kho-v4") == true)
      #expect(compatible?.nativeUInt64 == nil)
      let map = try root.property(named: "preserved-memory-map")
      #expect(map?.nativeUInt64 == 0x0102_0304_0506_0708)
      #expect(map?.nativeUInt32 == nil)
      #expect(map?.bigEndianUInt64 == (0x0102_0304_0506_0708 as UInt64).byteSwapped)
      #expect(try root.property(named: "preserved-memory")?.offset == nil)
      #expect(try root.child(named: "cells")?.offset == nil)

      let cells = try #require(try root.child(named: "cells@1000")?.offset)
      #expect(cells > 0)
      if let node = try root.child(named: "cells@1000") {
        #expect(node.depth == 1)
        let reg = try node.property(named: "reg")
        #expect(reg?.bigEndianUInt64Pair?.first == 0x1000)
        #expect(reg?.bigEndianUInt64Pair?.second == 0x2000)
        #expect(reg?.bigEndianCellCount == 4)
        #expect(reg?.bigEndianCell(at: 3) == 0x2000)
        #expect(reg?.bigEndianCell(at: 4) == nil)
        #expect(try node.property(named: "one")?.bigEndianUInt32 == 0x1122_3344)
        #expect(try node.property(named: "long")?.bigEndianUInt64 == 0x1122_3344_5566_7788)
        #expect(try node.property(named: "short")?.nativeUInt32 == 0x1122_3344)
        #expect(try node.property(named: "flag")?.byteCount == 0)
        #expect(try node.property(named: "flag")?.nativeUInt32 == nil)
        #expect(try node.child(named: "inner")?.depth == 2)
      }
      try tree.checkNamesAreUnique()
    }
  }

  @Test func stringLists() throws {
    func strings(_ value: [UInt8]) throws -> (list: [String]?, single: String?) {
      let blob = try makeBlob { writer throws(DeviceTreeWriterError) in
        // SAFETY: an array is initialised.
        unsafe try writer.property("s", bytes: value.span.bytes)
      }
      return try withBytes(of: blob) { span in
        let tree = try DeviceTree(validating: span)
        guard let property = try tree.root.property(named: "s") else { return (nil, nil) }
        var list: [String]? = nil
        if var all = property.strings {
          list = []
          while let next = all.next() { list?.append(next.string) }
        }
        return (list, property.string?.string)
      }
    }
    #expect(try strings([]) == (nil, nil))
    #expect(try strings([0]) == ([""], ""))
    #expect(try strings([97]) == (nil, nil))
    #expect(try strings([97, 0]) == (["a"], "a"))
    #expect(try strings([97, 0, 98, 99, 0]) == (["a", "bc"], nil))
    #expect(try strings([97, 0, 0]) == (["a", ""], nil))
    #expect(try strings([97, 0, 98]) == (nil, nil))
    #expect(try strings([0xff, 0]) == (["\u{fffd}"], "\u{fffd}"))
  }

  private struct Enough: Error, Equatable {}

  @Test func anErrorOfTheClosureStopsTheWalk() throws {
    let blob = try makeSample()
    try withBytes(of: blob) { span in
      let tree = try DeviceTree(validating: span)
      var visited = 0
      #expect(throws: DeviceTreeWalkError.stopped(Enough())) {
        try tree.root.forEachChild { (_) throws(Enough) in
          visited += 1
          throw Enough()
        }
      }
      #expect(throws: DeviceTreeWalkError.stopped(Enough())) {
        try tree.root.forEachProperty { (_) throws(Enough) in
          visited += 1
          throw Enough()
        }
      }
      #expect(visited == 2)
      var names: [String] = []
      try tree.root.forEachChild { names.append($0.nameString) }
      try tree.root.forEachProperty { names.append($0.nameString) }
      #expect(names == ["memblock", "cells@1000", "compatible", "preserved-memory-map"])
    }
  }

  @Test func whatRealBlobsHaveIsAccepted() throws {
    // NOP tokens anywhere, junk behind the end token, slack behind the blob.
    let nops = rawBlob(
      structure: [4, 1, 0, 4, 4, 3, 0, 0, 4, 1, 0x6100_0000, 4, 2, 4, 2, 4, 9, 0xffff_ffff],
      strings: [112, 0])
    #expect(try outline(nops) == ["/", "  p=", "  a/"])
    var slack = nops + [UInt8](repeating: 0xee, count: 100)
    put(UInt32(slack.count), at: 4, in: &slack)
    #expect(try outline(slack).count == 3)

    // Version 16 does not say how long the structure is.
    var old = try makeSample()
    let expected = try outline(old)
    put(16, at: 20, in: &old)
    put(0xffff_ffff, at: 36, in: &old)
    #expect(try outline(old) == expected)

    // Strings before the structure.
    let blob = try makeSample()
    let structure = Array(blob[56..<Int(word(at: 12, in: blob))])
    let strings = Array(blob[Int(word(at: 12, in: blob))...])
    let padding = [UInt8](repeating: 0, count: (4 - strings.count % 4) % 4)
    var swapped = Array(blob[..<56]) + strings + padding + structure
    put(UInt32(swapped.count), at: 4, in: &swapped)
    put(UInt32(56 + strings.count + padding.count), at: 8, in: &swapped)
    put(56, at: 12, in: &swapped)
    #expect(try outline(swapped) == expected)
    put(16, at: 20, in: &swapped)
    #expect(try outline(swapped) == expected)
  }

  @Test func equalNamesAreFoundByTheStrictCheck() throws {
    func check(_ blob: [UInt8], limit: Int = 1 << 24) throws {
      try withBytes(of: blob) { span in
        try DeviceTree(validating: span).checkNamesAreUnique(readingAtMost: limit)
      }
    }
    let properties = rawBlob(
      structure: [1, 0, 3, 0, 0, 3, 0, 2, 3, 0, 0, 2, 9], strings: [112, 0, 113, 0])
    #expect(throws: DeviceTreeError.duplicateProperty(offset: 56 + 8 * 4)) { try check(properties) }
    let a: UInt32 = 0x6100_0000
    let children = rawBlob(structure: [1, 0, 1, a, 1, a, 2, 2, 1, a, 2, 2, 9])
    #expect(throws: DeviceTreeError.duplicateChild(offset: 56 + 8 * 4)) { try check(children) }
    #expect(throws: DeviceTreeError.tooManyNamesToCompare(offset: 56 + 2 * 4)) {
      try check(rawBlob(structure: [1, 0, 1, a, 2, 1, 0x6200_0000, 2, 2, 9]), limit: 1)
    }
    // Half a million bytes of siblings: gives up instead of comparing for hours.
    let many = (0..<40_000 as Range<UInt32>).flatMap { index -> [UInt32] in
      [1, a | (32 + index % 200) << 16 | (32 + index / 200) << 8, 2]
    }
    let wide = rawBlob(structure: [1, 0] + many + [2, 9])
    #expect(throws: DeviceTreeError.tooManyNamesToCompare(offset: 64)) {
      try check(wide, limit: 100_000)
    }
  }
}
