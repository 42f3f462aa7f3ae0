/// Where an object is, in 41 bits: address / 16, and whether it has pages of its own.
struct ObjectReference: Equatable {
  static let mask: UInt64 = (1 &<< 41) &- 1
  static let largeBit: UInt64 = 1 &<< 40

  let rawValue: UInt64

  /// The reference in the low bits of a word.
  @inline(__always)
  init(in word: UInt64) { rawValue = word & Self.mask }

  /// - Precondition: the address is a multiple of 16 below 2^44.
  @inline(__always)
  init(address: UInt64, isLarge: Bool) {
    rawValue = address &>> 4 | (isLarge ? Self.largeBit : 0)
  }

  @inline(__always)
  var isLarge: Bool { rawValue & Self.largeBit != 0 }

  /// Where the object's first word is.
  @inline(__always)
  var address: UInt64 { (rawValue & ~Self.largeBit) &<< 4 }
}

/// Whole pages for one object, which begins behind a header.
///
///     byte 0  bytes of the pages; 8 next large object; 16 the one before; 24 mark; 64 the object
enum LargeObject {
  static let headerByteCount: UInt64 = 64
  static let mark: UInt64 = 0x4c41_5247_454f_424a

  static let byteCount: UInt64 = 0
  static let next: UInt64 = 8
  static let previous: UInt64 = 16
  static let markOffset: UInt64 = 24
}
