/// Pages as machines have them: text, pointers, small numbers, runs of one byte, repetitions, and noise.
struct Pages {
  static let byteCount = 4096

  let all: [[UInt8]]
  var count: Int { all.count }

  /// The same pages each time.
  init(count: Int) {
    var random = Generator(state: 1)
    all = (0..<count).map { Self.page(kind: $0 % 8, &random) }
  }

  private static func page(kind: Int, _ random: inout Generator) -> [UInt8] {
    var bytes: [UInt8] = []
    let words = (0..<60).map { _ in
      (0..<2 + random.below(9)).map { _ in UInt8(97 + random.below(26)) }
    }
    while bytes.count < byteCount {
      switch kind {
      case 0, 1: bytes += words[random.below(words.count)] + [32]
      case 2, 3:
        // A structure: pointers to nearby memory, counts, flags, zeros.
        bytes += little(0xffff_8880_0000_0000 | UInt64(random.below(1 << 24)) << 6)
        bytes += little(UInt64(random.below(200)))
        if random.below(3) == 0 { bytes += [UInt8](repeating: 0, count: 8 + random.below(40)) }
      case 4: bytes += little(UInt64(random.below(5000))).prefix(4)
      case 5: bytes += [UInt8](repeating: UInt8(random.below(4)), count: 1 + random.below(400))
      case 6 where bytes.count > 10 && random.below(3) != 0:
        let distance = 1 + random.below(bytes.count)
        for _ in 0..<3 + random.below(100) { bytes.append(bytes[bytes.count - distance]) }
      case 6: bytes.append(UInt8(random.below(256)))
      default:
        // A quarter of noise, as in a heap of encoded data.
        if random.below(4) == 0 {
          for _ in 0..<64 { bytes.append(UInt8(random.below(256))) }
        } else {
          bytes += words[random.below(words.count)] + [0, 0, 0]
        }
      }
    }
    return Array(bytes.prefix(byteCount))
  }

  private static func little(_ word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
  }
}

/// SplitMix64.
private struct Generator {
  var state: UInt64

  mutating func below(_ limit: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return Int(((word ^ word >> 31).multipliedFullWidth(by: UInt64(limit))).high)
  }
}
