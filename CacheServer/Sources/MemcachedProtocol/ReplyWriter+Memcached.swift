internal import NIOCore
public import RESP

// Replies of the memcached protocol.

extension ReplyWriter {
  /// A line.
  public mutating func line(_ text: StaticString) {
    buffer.writeStaticString(text)
    endMemcachedLine()
  }

  /// A line.
  public mutating func textLine(_ text: String) {
    buffer.writeString(text)
    endMemcachedLine()
  }

  /// A line of a number.
  public mutating func numberLine(_ number: UInt64) {
    decimal(number)
    endMemcachedLine()
  }

  /// The end of a line.
  public mutating func endMemcachedLine() { buffer.writeInteger(0x0d0a as UInt16) }

  /// A number, in digits.
  public mutating func decimal(_ number: UInt64) {
    // SAFETY: a number has at most 20 digits, as many bytes are asked for.
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 20) {
      Self.writeDecimal(number, to: $0)
    }
  }

  /// A part of a line.
  public mutating func part(_ text: StaticString) { buffer.writeStaticString(text) }

  /// A part of a line.
  public mutating func part(_ bytes: RawSpan) {
    // SAFETY: as many bytes are asked for as are copied.
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.byteCount) { target in
      unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
      return bytes.byteCount
    }
  }

  /// A value behind a line, and the line break behind it.
  public mutating func value(_ bytes: RawSpan) {
    part(bytes)
    endMemcachedLine()
  }

  /// `VALUE key flags bytes [cas]`, and the value.
  public mutating func item(_ key: RawSpan, flags: UInt32, cas: UInt64?, _ value: RawSpan) {
    let count = value.byteCount
    // SAFETY: room is asked for the words, the key, three numbers of at most 20 digits, the value and two
    // line breaks, and no more is written.
    unsafe buffer.writeWithUnsafeMutableBytes(
      minimumWritableBytes: count &+ key.byteCount &+ 80
    ) { target in
      var offset = 6
      unsafe target.storeBytes(of: 0x554c_4156 as UInt32, toByteOffset: 0, as: UInt32.self)
      unsafe target.storeBytes(of: 0x2045 as UInt16, toByteOffset: 4, as: UInt16.self)
      unsafe key.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0)
      }
      offset &+= key.byteCount
      func add(_ number: UInt64) {
        unsafe target[offset] = UInt8(ascii: " ")
        offset &+= 1
        unsafe offset &+= Self.writeDecimal(
          number, to: UnsafeMutableRawBufferPointer(rebasing: target[offset...]))
      }
      add(UInt64(flags))
      add(UInt64(count))
      if let cas { add(cas) }
      unsafe target.storeBytes(of: 0x0a0d as UInt16, toByteOffset: offset, as: UInt16.self)
      offset &+= 2
      unsafe value.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0)
      }
      offset &+= count
      unsafe target.storeBytes(of: 0x0a0d as UInt16, toByteOffset: offset, as: UInt16.self)
      return offset &+ 2
    }
  }

  /// Writes digits to the beginning of `target`.
  ///
  /// - Returns: how many.
  /// - Precondition: `target` has room for 20.
  @safe
  private static func writeDecimal(
    _ number: UInt64, to target: UnsafeMutableRawBufferPointer
  ) -> Int {
    var count = 1
    var bound: UInt64 = 10
    while count < 20, number >= bound {
      count &+= 1
      bound = count < 20 ? bound &* 10 : .max
    }
    // The largest number has 20 digits, more than a power of ten of 64 bits can bound.
    var rest = number
    var index = count
    repeat {
      index &-= 1
      let (tens, digit) = rest.quotientAndRemainder(dividingBy: 10)
      // SAFETY: the caller has room for 20 digits, and there are `count`.
      unsafe target[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
      rest = tens
    } while index > 0
    return count
  }
}
