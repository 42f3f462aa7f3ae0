public import NIOCore

/// The replies to a client's requests, one behind the other, in RESP2 or RESP3.
public struct ReplyWriter {
  /// The bytes to send.
  public var buffer: ByteBuffer
  /// Whether the client has asked for RESP3.
  public var isRESP3 = false
  /// How many bytes ``buffer`` takes. One short request can ask for a long value many times, and a buffer cannot contain
  /// 4 GiB.
  public var byteLimit = 2 << 30
  /// Whether a string was left out because of the limit: the reply so far is not one.
  public var isIncomplete = false

  /// A writer into `buffer`, behind what it holds.
  public init(_ buffer: ByteBuffer = ByteBuffer()) { self.buffer = buffer }

  // MARK: One reply

  /// `+OK`.
  @inline(__always)
  public mutating func ok() { raw("+OK\r\n") }

  /// A line that a program looks at.
  public mutating func simple(_ text: StaticString) {
    buffer.writeInteger(UInt8(ascii: "+"))
    buffer.writeStaticString(text)
    endLine()
  }

  /// A line that a program looks at.
  ///
  /// - Precondition: it holds no line break.
  public mutating func simple(_ text: String) {
    buffer.writeInteger(UInt8(ascii: "+"))
    buffer.writeString(text)
    endLine()
  }

  /// An error: its code, and the sentence.
  public mutating func error(_ text: StaticString) {
    buffer.writeInteger(UInt8(ascii: "-"))
    buffer.writeStaticString(text)
    endLine()
  }

  /// An error with something in it that a client sent: line breaks become spaces.
  public mutating func error(_ text: [UInt8]) {
    buffer.writeInteger(UInt8(ascii: "-"))
    buffer.writeBytes(text.lazy.map { $0 == 0x0d || $0 == 0x0a ? 0x20 : $0 })
    endLine()
  }

  /// An error with something in it that a client sent: line breaks become spaces.
  public mutating func error(_ text: String) { error(Array(text.utf8)) }

  /// A number.
  @inline(__always)
  public mutating func integer(_ value: Int64) { header(UInt8(ascii: ":"), value) }

  /// A number.
  @inline(__always)
  public mutating func integer(_ value: Int) { integer(Int64(value)) }

  /// A string of any bytes; if it does not fit below ``byteLimit``, nothing, and ``isIncomplete`` is set.
  public mutating func bulk(_ bytes: RawSpan) {
    let count = bytes.byteCount
    guard _fastPath(count <= byteLimit &- buffer.writerIndex) else {
      isIncomplete = true
      return
    }
    // SAFETY: room for the header, the bytes and two line breaks is asked for, and no more written.
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count &+ 32) { target in
      var offset = Self.writeHeader(UInt8(ascii: "$"), Int64(count), to: target)
      unsafe bytes.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
      }
      offset &+= count
      unsafe target.storeBytes(of: 0x0a0d as UInt16, toByteOffset: offset, as: UInt16.self)
      return offset &+ 2
    }
  }

  /// A string.
  public mutating func bulk(_ text: String) {
    let utf8 = text.utf8
    header(UInt8(ascii: "$"), Int64(utf8.count))
    buffer.writeString(text)
    endLine()
  }

  /// Text for people: a verbatim string of RESP3.
  public mutating func verbatim(_ text: String) {
    guard isRESP3 else { return bulk(text) }
    header(UInt8(ascii: "="), Int64(text.utf8.count + 4))
    buffer.writeStaticString("txt:")
    buffer.writeString(text)
    endLine()
  }

  /// No string.
  @inline(__always)
  public mutating func null() { raw(isRESP3 ? "_\r\n" : "$-1\r\n") }

  /// No array.
  public mutating func nullArray() { raw(isRESP3 ? "_\r\n" : "*-1\r\n") }

  // MARK: The beginning of several

  /// The header of `count` replies in order.
  public mutating func array(_ count: Int) { header(UInt8(ascii: "*"), Int64(count)) }

  /// The header of `count` pairs of replies.
  public mutating func map(_ count: Int) {
    if isRESP3 {
      header(UInt8(ascii: "%"), Int64(count))
    } else {
      header(UInt8(ascii: "*"), Int64(count) * 2)
    }
  }

  /// The header of `count` replies in no order.
  public mutating func set(_ count: Int) {
    header(UInt8(ascii: isRESP3 ? "~" : "*"), Int64(count))
  }
}
