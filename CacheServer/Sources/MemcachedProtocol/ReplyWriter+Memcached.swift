internal import NIOCore
public import RESP

// Replies of the memcached protocol.

extension ReplyWriter {
  /// A line.
  public mutating func line(_ text: StaticString) {
    buffer.writeStaticString(text)
    endLine()
  }

  /// A line.
  public mutating func textLine(_ text: String) {
    buffer.writeString(text)
    endLine()
  }

  /// A line of a number.
  public mutating func numberLine(_ number: UInt64) {
    decimal(number)
    endLine()
  }

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
    endLine()
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
}
