/// An answer of a server that speaks RESP.
public enum Reply: Equatable, Sendable {
  /// `+OK`.
  case simple([UInt8])
  /// `-ERR …`.
  case error([UInt8])
  /// `:1`.
  case integer(Int64)
  /// `$3`.
  case bulk([UInt8])
  /// `$-1`, `*-1`, `_`.
  case null
  /// `*2`, and RESP3's sets, pushes and, as twice as many elements, maps.
  case array([Reply])
  /// Everything else of RESP3 that is one line: `,` `#` `(`.
  case other([UInt8])

  /// `+OK`.
  public static let ok = Reply.simple(Array("OK".utf8))

  /// The text of a simple string, a bulk string or an error.
  public var text: String? {
    switch self {
    case .simple(let bytes), .error(let bytes), .bulk(let bytes):
      String(decoding: bytes, as: UTF8.self)
    default: nil
    }
  }
}

/// An answer as it came.
public struct ReceivedReply: Equatable, Sendable {
  /// Its bytes.
  public let bytes: [UInt8]
  /// What they mean.
  public let reply: Reply

  /// An answer.
  public init(bytes: [UInt8], reply: Reply) {
    self.bytes = bytes
    self.reply = reply
  }
}

/// Why bytes are not a reply.
public enum ReplyError: Error, Equatable, Sendable {
  /// No type begins with this byte.
  case unknownType(UInt8, offset: Int)
  /// A number is malformed, or out of range.
  case badNumber(offset: Int)
  /// Too many arrays in arrays.
  case tooDeep
  /// Two bytes that end an answer are not there.
  case missingEnd(offset: Int)
}

/// Reads answers from bytes that come bit by bit.
public struct ReplyParser: Sendable {
  private static let depthLimit = 8
  private static let elementLimit: Int64 = 1 << 24

  private var offset = 0

  /// The answer that begins at `start`, and where the next one does; nil where it is not whole yet.
  ///
  /// - Throws: ``ReplyError``.
  public static func parse(
    _ bytes: [UInt8], from start: Int, to end: Int
  ) throws(ReplyError) -> (reply: Reply, end: Int)? {
    var parser = ReplyParser()
    parser.offset = start
    guard let reply = try parser.next(bytes, end, depth: 0) else { return nil }
    return (reply, parser.offset)
  }

  private mutating func next(
    _ bytes: [UInt8], _ end: Int, depth: Int
  ) throws(ReplyError) -> Reply? {
    guard depth < Self.depthLimit else { throw .tooDeep }
    let start = offset
    guard let line = try line(bytes, end) else { return nil }
    switch bytes[start] {
    case UInt8(ascii: "+"): return .simple(Array(bytes[line]))
    case UInt8(ascii: "-"): return .error(Array(bytes[line]))
    case UInt8(ascii: ":"): return .integer(try number(bytes[line]))
    case UInt8(ascii: "_"): return .null
    case UInt8(ascii: ","), UInt8(ascii: "#"), UInt8(ascii: "("): return .other(Array(bytes[line]))
    case UInt8(ascii: "$"), UInt8(ascii: "="): return try bulk(bytes, line, end)
    case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"):
      return try array(bytes, line, end, factor: 1, depth)
    case UInt8(ascii: "%"): return try array(bytes, line, end, factor: 2, depth)
    default: throw .unknownType(bytes[start], offset: start)
    }
  }

  /// Where the line without its type and end is.
  private mutating func line(_ bytes: [UInt8], _ end: Int) throws(ReplyError) -> Range<Int>? {
    guard offset < end else { return nil }
    var index = offset + 1
    while index < end, bytes[index] != 13 { index += 1 }
    guard index + 1 < end else { return nil }
    guard bytes[index + 1] == 10 else { throw .missingEnd(offset: index) }
    defer { offset = index + 2 }
    return offset + 1..<index
  }

  private func number(_ digits: ArraySlice<UInt8>) throws(ReplyError) -> Int64 {
    guard let value = Int64(String(decoding: digits, as: UTF8.self)) else {
      throw .badNumber(offset: digits.startIndex)
    }
    return value
  }

  private mutating func bulk(
    _ bytes: [UInt8], _ line: Range<Int>, _ end: Int
  ) throws(ReplyError) -> Reply? {
    let count = try number(bytes[line])
    if count == -1 { return .null }
    guard count >= 0, count <= 1 << 30 else { throw .badNumber(offset: line.lowerBound) }
    let start = offset
    guard start + Int(count) + 2 <= end else { return nil }
    offset = start + Int(count) + 2
    guard bytes[offset - 2] == 13, bytes[offset - 1] == 10 else {
      throw .missingEnd(offset: offset - 2)
    }
    return .bulk(Array(bytes[start..<start + Int(count)]))
  }

  private mutating func array(
    _ bytes: [UInt8], _ line: Range<Int>, _ end: Int, factor: Int, _ depth: Int
  ) throws(ReplyError) -> Reply? {
    let count = try number(bytes[line])
    if count == -1 { return .null }
    guard count >= 0, count <= Self.elementLimit else {
      throw .badNumber(offset: line.lowerBound)
    }
    var elements: [Reply] = []
    for _ in 0..<Int(count) * factor {
      guard let element = try next(bytes, end, depth: depth + 1) else { return nil }
      elements.append(element)
    }
    return .array(elements)
  }
}
