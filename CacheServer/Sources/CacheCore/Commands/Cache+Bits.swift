internal import PersistentCollections
internal import RESP

extension Cache {
  private func bitOffset(_ argument: RawSpan) throws(CommandError) -> Int {
    guard let offset = Int64(decimal: argument), offset >= 0,
      offset >> 3 < Int64(RequestParser.bulkByteLimit)
    else { throw .sentence("ERR bit offset is not an integer or out of range") }
    return Int(offset)
  }

  /// `SETBIT key offset value`.
  mutating func setBit(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let offset = try bitOffset(request[2])
    guard let bit = Int64(decimal: request[3]), bit == 0 || bit == 1 else {
      throw .sentence("ERR bit is not an integer or out of range")
    }
    let key = request[1]
    let found = try withValue(of: key) { ($0.array, $1) }
    var bytes = found?.0 ?? []
    let index = offset >> 3
    if bytes.count <= index {
      bytes.append(contentsOf: repeatElement(0, count: index + 1 - bytes.count))
    }
    // The first bit of a byte is its highest.
    let mask = UInt8(0x80) >> UInt8(offset & 7)
    reply.integer(bytes[index] & mask == 0 ? 0 : 1)
    bytes[index] = bit == 1 ? bytes[index] | mask : bytes[index] & ~mask
    try store(bytes.rawSpan, at: key, deadline: found?.1 ?? 0)
  }

  /// `GETBIT key offset`.
  mutating func getBit(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let offset = try bitOffset(request[2])
    let bit = try withValueRead(of: request[1]) { value, _ in
      offset >> 3 < value.byteCount ? value[offset >> 3] >> UInt8(7 - offset & 7) & 1 : 0
    }
    reply.integer(Int(bit ?? 0))
  }

  /// `BITCOUNT key [start end [BYTE | BIT]]`.
  mutating func countBits(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    var first: Int64 = 0
    var last: Int64 = -1
    var isBits = false
    guard request.count == 2 || request.count == 4 || request.count == 5 else { throw .syntax }
    if request.count >= 4 {
      first = try Self.integer(request[2])
      last = try Self.integer(request[3])
    }
    if request.count == 5 {
      isBits = request[4].isWord("bit")
      guard isBits || request[4].isWord("byte") else { throw .syntax }
    }
    let count = try withValueRead(of: request[1]) { value, _ -> Int in
      let length = Int64(value.byteCount) * (isBits ? 8 : 1)
      // Both count from the end where they are negative.
      if first < 0, last < 0, first > last { return 0 }
      let start = max(first < 0 ? length &+ first : first, 0)
      let end = min(last < 0 ? max(length &+ last, 0) : last, length &- 1)
      guard start <= end else { return 0 }
      return Self.countOfOnes(
        value, isBits ? Int(start)..<Int(end) + 1 : Int(start) * 8..<(Int(end) + 1) * 8)
    }
    reply.integer(count ?? 0)
  }

  private static func countOfOnes(_ value: RawSpan, _ bits: Range<Int>) -> Int {
    var count = 0
    for index in bits.lowerBound >> 3...(bits.upperBound - 1) >> 3 {
      var byte = value[index]
      if index == bits.lowerBound >> 3 { byte &= 0xff >> UInt8(bits.lowerBound & 7) }
      if index == (bits.upperBound - 1) >> 3 {
        byte &= ~(UInt8(truncatingIfNeeded: 0x7f) >> UInt8((bits.upperBound - 1) & 7))
      }
      count += byte.nonzeroBitCount
    }
    return count
  }
}
