/// The sizes that objects in slabs have.
///
/// Up to 512 bytes every multiple of 16; above that the largest of which 124, 123, … 2 fit into a slab.
/// So of objects up to 4 KiB at most some 7 % is left over, and 1.6 % at 1 KiB.
struct SizeClasses {
  /// What a slab has for objects: 64 KiB without its header.
  static let slabRoom = Slab.byteCount - Slab.headerByteCount
  /// The class of overflow buckets, which are in slabs of their own.
  static let bucketClass = 0
  /// What the largest class holds; larger objects have pages of their own.
  static let largestByteCount = slabRoom / 2 & ~15

  /// The sizes of the classes, and the smallest class that holds so many times 16 bytes.
  private static let tables: (byteCounts: [UInt32], classes: [UInt8]) = {
    var byteCounts: [UInt32] = [64]
    for byteCount in stride(from: 32, through: 512, by: 16) { byteCounts.append(UInt32(byteCount)) }
    var last = 512
    for count in (2...slabRoom / 528).reversed() {
      let byteCount = slabRoom / count & ~15
      guard byteCount > last else { continue }
      byteCounts.append(UInt32(byteCount))
      last = byteCount
    }
    var classes: [UInt8] = []
    var sizeClass = 1
    for units in 0...largestByteCount / 16 {
      while byteCounts[sizeClass] < units * 16 { sizeClass += 1 }
      classes.append(UInt8(sizeClass))
    }
    return (byteCounts, classes)
  }()

  /// The size of an object in bytes, by class.
  @inline(__always)
  var byteCounts: [UInt32] { Self.tables.byteCounts }

  var count: Int { byteCounts.count }

  /// The class of objects of `byteCount` bytes.
  ///
  /// - Precondition: at most ``largestByteCount``.
  @inline(__always)
  func sizeClass(of byteCount: Int) -> Int { Int(Self.tables.classes[(byteCount &+ 15) &>> 4]) }

  /// How many objects of a class a slab holds.
  @inline(__always)
  func slotCount(_ sizeClass: Int) -> Int { Self.slabRoom / Int(byteCounts[sizeClass]) }
}
