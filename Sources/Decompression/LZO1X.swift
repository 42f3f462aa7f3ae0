internal import MemoryAccess

/// LZO1X streams: what makedumpfile and QEMU make with `lzo1x_1_compress`.
///
/// An instruction is a byte and what follows it; the two lowest bits of its last or only offset byte say how
/// many literals follow the match.
///
/// ```
///  1LLDDDSS HHHHHHHH                    3…8 bytes, distance 1…2048  (01LDDDSS: 3 or 4)
///  001LLLLL [length] DDDDDDSS DDDDDDDD  3… bytes, distance 1…16384
///  0001HLLL [length] DDDDDDSS DDDDDDDD  3… bytes, distance 16385…49151; 16384 ends the stream
///  0000XXXX …                           literals after a match without; else a short near match, or a
///                                       match of 3 bytes at a distance of 2049…3072 after literals
/// ```
///
/// Source: Linux, Documentation/staging/lzo.rst.
enum LZO1X {
  /// What came before an instruction.
  private enum State {
    case match
    /// A match with one to three literals behind it.
    case fewLiterals
    /// A run of four or more literals.
    case literalRun
  }

  static func decode(
    _ input: RawSpan, into output: inout DecodedOutput
  ) throws(DecompressionError) {
    var place = 0
    var state = State.match
    guard let first = input.byte(at: 0) else { throw .inputEnds }
    if first > 17 {
      let count = Int(first) &- 17
      try output.append(input, from: 1, byteCount: count)
      place = 1 &+ count
      state = count < 4 ? .fewLiterals : .literalRun
    }
    while true {
      guard let instruction = input.byte(at: place) else { throw .inputEnds }
      place &+= 1
      let code = Int(instruction)
      if code < 16, state == .match {
        let count = try length(code, base: 15, input, &place) &+ 3
        try output.append(input, from: place, byteCount: count)
        place &+= count
        state = .literalRun
        continue
      }

      let distance: Int
      let byteCount: Int
      let literalCount: Int
      if code >= 64 {
        guard let high = input.byte(at: place) else { throw .inputEnds }
        place &+= 1
        distance = 1 &+ (code &>> 2 & 7) &+ Int(high) &<< 3
        byteCount = code &>> 5 &+ 1
        literalCount = code & 3
      } else if code >= 16 {
        let isFar = code < 32
        byteCount =
          try length(code & (isFar ? 7 : 31), base: isFar ? 7 : 31, input, &place) &+ 2
        guard let low = input.byte(at: place), let high = input.byte(at: place &+ 1) else {
          throw .inputEnds
        }
        place &+= 2
        let offset = Int(high) &<< 6 | Int(low) &>> 2
        literalCount = Int(low) & 3
        if isFar {
          distance = (code & 8) &<< 11 &+ offset &+ 0x4000
          if distance == 0x4000 { return }
        } else {
          distance = offset &+ 1
        }
      } else {
        guard let high = input.byte(at: place) else { throw .inputEnds }
        place &+= 1
        let isAfterRun = state == .literalRun
        distance = (isAfterRun ? 0x801 : 1) &+ code &>> 2 &+ Int(high) &<< 2
        byteCount = isAfterRun ? 3 : 2
        literalCount = code & 3
      }
      try output.copyMatch(distance: distance, byteCount: byteCount)
      state = .match
      if literalCount > 0 {
        try output.append(input, from: place, byteCount: literalCount)
        place &+= literalCount
        state = .fewLiterals
      }
    }
  }

  /// A length that goes on in bytes where the instruction has 0: 255 for each that is 0, and the first
  /// that is not.
  @inline(__always)
  private static func length(
    _ short: Int, base: Int, _ input: RawSpan, _ place: inout Int
  ) throws(DecompressionError) -> Int {
    if short != 0 { return short }
    var length = base
    while true {
      guard let byte = input.byte(at: place) else { throw .inputEnds }
      place &+= 1
      if byte != 0 { return length &+ Int(byte) }
      length &+= 255
    }
  }
}
