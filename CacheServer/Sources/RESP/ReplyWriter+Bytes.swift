internal import NIOCore

extension ReplyWriter {
  /// A reply as it is on the wire.
  ///
  /// `writeStaticString` is the same, but for checks of exclusive access that were 1 % of a SET.
  @inline(__always)
  mutating func raw(_ text: StaticString) {
    let count = text.utf8CodeUnitCount
    // SAFETY: room is asked for as many bytes as the text has, which never goes, and those are written.
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
      unsafe target.copyMemory(
        from: UnsafeRawBufferPointer(start: text.utf8Start, count: count))
      return count
    }
  }

  /// The end of a line: a carriage return and a line feed.
  public mutating func endLine() { buffer.writeInteger(0x0d0a as UInt16) }

  /// A type, a number and a line break.
  @inline(__always)
  mutating func header(_ type: UInt8, _ value: Int64) {
    // SAFETY: a header has at most 23 bytes, as many are asked for.
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 32) { target in
      Self.writeHeader(type, value, to: target)
    }
  }

  /// Writes a type, a number and a line break to the beginning of `target`.
  ///
  /// - Returns: how many bytes that were.
  /// - Precondition: `target` has room for 32.
  @inline(__always)
  @safe
  static func writeHeader(
    _ type: UInt8, _ value: Int64, to target: UnsafeMutableRawBufferPointer
  ) -> Int {
    // SAFETY: the caller has room for 32 bytes; a type, a sign, 19 digits and a line break are 23.
    unsafe target[0] = type
    var offset = 1
    if value >= 0, value < 10 {
      unsafe target[1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)
      offset = 2
    } else {
      if value < 0 {
        unsafe target[1] = UInt8(ascii: "-")
        offset = 2
      }
      // SAFETY: of the 32 bytes, at least 30 follow, and 20 are needed.
      unsafe offset &+= writeDecimal(
        value.magnitude, to: UnsafeMutableRawBufferPointer(rebasing: target[offset...]))
    }
    unsafe target.storeBytes(of: 0x0a0d as UInt16, toByteOffset: offset, as: UInt16.self)
    return offset &+ 2
  }

  /// Writes the digits of `number` to the beginning of `target`.
  ///
  /// - Returns: the number of digits, 1 to 20.
  /// - Precondition: `target` has room for 20 bytes.
  @inline(__always)
  @safe
  public static func writeDecimal(
    _ number: UInt64, to target: UnsafeMutableRawBufferPointer
  ) -> Int {
    var digitCount = 1
    var bound: UInt64 = 10
    // 10^19 is the largest power of ten in 64 bits.
    while digitCount < 20, number >= bound {
      digitCount &+= 1
      if digitCount < 20 { bound &*= 10 }
    }
    var rest = number
    var index = digitCount
    repeat {
      index &-= 1
      let (tens, digit) = rest.quotientAndRemainder(dividingBy: 10)
      // SAFETY: the caller has room for 20 bytes, and `index` is below `digitCount`, which is at most 20.
      unsafe target[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
      rest = tens
    } while rest > 0
    return digitCount
  }
}
