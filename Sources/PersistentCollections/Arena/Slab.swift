/// 64 KiB, aligned: a header, and objects of one size.
///
///     byte 0  state: the first free slot + 1, used slots, slots that were ever used, class, mark
///          8  next slab with room, of the same class; 16 the one before
///     and in the first slab of an extent
///         24  next extent; 32 the one before
///         40  which slabs are free, a bit each
///         48  next extent with free slabs; 56 the one before
///         64  objects
///
/// A free slot's first word points to the next one.
enum Slab {
  static let byteCount = 1 << 16
  static let headerByteCount = 64
  static let mask = UInt64(byteCount - 1)

  static let state: UInt64 = 0
  static let next: UInt64 = 8
  static let previous: UInt64 = 16

  /// The slab that holds the object at `address`.
  @inline(__always)
  static func containing(_ address: UInt64) -> UInt64 { address & ~mask }
}

/// 2 MiB, aligned: 32 slabs.
enum Extent {
  static let byteCount: UInt64 = 1 << 21
  static let slabCount = 32
  static let mask = byteCount - 1
  static let allFree: UInt64 = 0xffff_ffff

  static let next: UInt64 = 24
  static let previous: UInt64 = 32
  static let freeSlabs: UInt64 = 40
  static let nextWithRoom: UInt64 = 48
  static let previousWithRoom: UInt64 = 56

  @inline(__always)
  static func containing(_ address: UInt64) -> UInt64 { address & ~mask }

  @inline(__always)
  static func slab(_ index: Int, of extent: UInt64) -> UInt64 {
    extent &+ UInt64(truncatingIfNeeded: index) &<< 16
  }
}

/// The first word of a slab.
struct SlabState: Equatable {
  static let mark: UInt64 = 0x5b

  /// The slot that is taken next, counted from 1; 0 where no slot was given back.
  var firstFree: Int
  var usedCount: Int
  /// Slots from here on were never used.
  var freshIndex: Int
  var sizeClass: Int

  init(sizeClass: Int) {
    firstFree = 0
    usedCount = 0
    freshIndex = 0
    self.sizeClass = sizeClass
  }

  /// The state in `word`; nil if it is not one.
  @inline(__always)
  init?(_ word: UInt64) {
    guard word &>> 56 == Self.mark else { return nil }
    firstFree = Int(word & 0xffff)
    usedCount = Int(word &>> 16 & 0xffff)
    freshIndex = Int(word &>> 32 & 0xffff)
    sizeClass = Int(word &>> 48 & 0xff)
  }

  @inline(__always)
  var word: UInt64 {
    UInt64(truncatingIfNeeded: firstFree) | UInt64(truncatingIfNeeded: usedCount) &<< 16
      | UInt64(truncatingIfNeeded: freshIndex) &<< 32
      | UInt64(truncatingIfNeeded: sizeClass) &<< 48 | Self.mark &<< 56
  }
}

/// The first word of a free slot.
enum FreeSlot {
  static let mark: UInt64 = 0xf4ee

  @inline(__always)
  static func word(next: Int) -> UInt64 { mark &<< 48 | UInt64(truncatingIfNeeded: next) }

  /// The slot after this one, counted from 1; nil where the word is not a free slot's.
  @inline(__always)
  static func next(_ word: UInt64) -> Int? {
    word &>> 16 == mark &<< 32 ? Int(word & 0xffff) : nil
  }
}
