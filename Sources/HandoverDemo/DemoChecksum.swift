internal import KexecHandover

/// A number that follows from every byte: four lanes of multiplied and turned words.
package func demoChecksum(_ bytes: RawSpan, from start: Int = 0) -> UInt64 {
  var lanes: (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, 4)
  var offset = start
  while offset + 32 <= bytes.byteCount {
    lanes.0 = mix(lanes.0, bytes.word(atByte: offset))
    lanes.1 = mix(lanes.1, bytes.word(atByte: offset + 8))
    lanes.2 = mix(lanes.2, bytes.word(atByte: offset + 16))
    lanes.3 = mix(lanes.3, bytes.word(atByte: offset + 24))
    offset += 32
  }
  var rest = UInt64(bytes.byteCount)
  while offset < bytes.byteCount {
    rest = mix(rest, bytes.byte(at: offset).map(UInt64.init))
    offset += 1
  }
  return [lanes.0, lanes.1, lanes.2, lanes.3].reduce(rest) { mix($0, $1) }
}

@inline(__always)
private func mix(_ lane: UInt64, _ word: UInt64?) -> UInt64 {
  let product = (lane ^ (word ?? 0)) &* 0x9e37_79b1_85eb_ca87
  return product << 31 | product >> 33
}

/// Fills `bytes` from `start` on with words that follow from `seed`.
package func fillForDemo(
  _ bytes: inout MutableRawSpan, from start: Int = 0, byteCount: Int, seed: UInt64
) {
  var word = SplitMix.mixed(seed)
  for offset in stride(from: start, through: byteCount - 8, by: 8) {
    word = word &* 0xd134_2543_de82_ef95 &+ 0x9e37_79b9_7f4a_7c15
    bytes.storeBytes(of: word ^ word >> 32, toByteOffset: offset, as: UInt64.self)
  }
}
