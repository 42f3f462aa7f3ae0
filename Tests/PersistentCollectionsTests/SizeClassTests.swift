import HandoverTestSupport
import Testing

@testable import PersistentCollections

@Suite(.namesCombination) struct SizeClassTests {
  private let classes = SizeClasses()

  @Test func everySizeHasTheSmallestClassThatHoldsIt() throws {
    for byteCount in 0...SizeClasses.largestByteCount {
      let sizeClass = classes.sizeClass(of: byteCount)
      try withCombination("bytes", byteCount) {
        try #require(sizeClass > SizeClasses.bucketClass && sizeClass < classes.count)
        try #require(classes.byteCounts[sizeClass] >= byteCount)
        try #require(sizeClass == 1 || classes.byteCounts[sizeClass - 1] < byteCount)
      }
    }
  }

  /// A slab's words have 8 bits for the class and 16 for a slot; objects begin at multiples of 16.
  @Test func classesFitIntoTheLayout() {
    #expect(classes.count <= RootLayout.classLimit)
    for sizeClass in 0..<classes.count {
      #expect(classes.byteCounts[sizeClass].isMultiple(of: 16))
      #expect(classes.slotCount(sizeClass) >= 2 && classes.slotCount(sizeClass) < 1 << 16)
    }
  }

  @Test func littleIsLeftOver() {
    // What a slab is divided by, for an object that just fits and for one that just does not.
    for byteCount in 600...4096 {
      let sizeClass = classes.sizeClass(of: byteCount)
      let share = Double(Slab.byteCount) / Double(classes.slotCount(sizeClass))
      #expect(share <= Double(byteCount) * 1.08)
    }
  }
}
