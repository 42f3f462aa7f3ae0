import Testing

@testable import PersistentCollections

/// What files of the present layout depend on. If one of these numbers has to change, the layout's version changes
/// with it, and the library reads an older file, or refuses it with that version.
@Suite struct LayoutPinTests {
  @Test func sizeClasses() {
    let classes = SizeClasses()
    var expected: [UInt32] = [64]
    expected += stride(from: 32, through: 512, by: 16).map { UInt32($0) }
    #expect(Array(classes.byteCounts.prefix(expected.count)) == expected)
    #expect(SizeClasses.largestByteCount == 32736)
    #expect(classes.count == expected.count + Self.largerClasses.count)
    #expect(Array(classes.byteCounts.dropFirst(expected.count)) == Self.largerClasses)
  }

  /// What 65,472 bytes divided by 124, 123, … 2 is, in multiples of 16, each once.
  private static let largerClasses: [UInt32] = {
    var sizes: [UInt32] = []
    for count in (2...124).reversed() {
      let size = UInt32(65472 / count / 16 * 16)
      if size > sizes.last ?? 512 { sizes.append(size) }
    }
    return sizes
  }()

  @Test func rootOfACollection() {
    #expect(RootLayout.magic == 0x5041_4d4f_484b_1a0d)
    #expect(RootLayout.version == 2)
    #expect(RootLayout.byteCount == 4096)
    #expect(RootLayout.entryCount == 72)
    #expect(RootLayout.directory == 88)
    #expect(RootLayout.extents == 104)
    #expect(RootLayout.largeObjects == 128)
    #expect(RootLayout.keyType == 176 && RootLayout.valueType == 184)
    #expect(RootLayout.slabsWithRoom == 256 && RootLayout.classLimit == 256)
    #expect(RootLayout.treeRoot == 2304 && RootLayout.treeHeight == 2312)
    #expect(RootLayout.logStart == 2304 && RootLayout.logLast == 2328)
    #expect(RootLayout.value == 2304)
    #expect(CollectionKind.map.rawValue == 1 && CollectionKind.orderedMap.rawValue == 2)
    #expect(CollectionKind.log.rawValue == 3 && CollectionKind.value.rawValue == 4)
    #expect(CollectionKind.counter.rawValue == 5)
  }

  @Test func slabs() {
    #expect(Slab.byteCount == 1 << 16 && Slab.headerByteCount == 64)
    #expect(Slab.state == 0 && Slab.next == 8 && Slab.previous == 16)
    #expect(Extent.byteCount == 1 << 21 && Extent.freeSlabs == 40)
    #expect(SlabState.mark == 0x5b && FreeSlot.mark == 0xf4ee)
  }
}
