import KexecHandover
import Testing

@testable import PersistentCollections

@Suite struct SipHashTests {
  /// SipHash written down a second time, from the paper, with other words and in another way.
  private func reference(_ bytes: [UInt8], _ key: (UInt64, UInt64)) -> UInt64 {
    var state: [UInt64] = [
      key.0 ^ 0x736f_6d65_7073_6575, key.1 ^ 0x646f_7261_6e64_6f6d,
      key.0 ^ 0x6c79_6765_6e65_7261, key.1 ^ 0x7465_6462_7974_6573,
    ]
    func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
      word << count | word >> (64 - count)
    }
    func mix(_ a: Int, _ b: Int, _ count: UInt64, isTurned: Bool) {
      state[a] = state[a] &+ state[b]
      state[b] = rotated(state[b], count) ^ state[a]
      if isTurned { state[a] = rotated(state[a], 32) }
    }
    func round() {
      mix(0, 1, 13, isTurned: true)
      mix(2, 3, 16, isTurned: false)
      mix(0, 3, 21, isTurned: false)
      mix(2, 1, 17, isTurned: true)
    }
    var padded = bytes
    while padded.count % 8 != 7 { padded.append(0) }
    padded.append(UInt8(truncatingIfNeeded: bytes.count))
    for start in stride(from: 0, to: padded.count, by: 8) {
      let word = (0..<8).reduce(0 as UInt64) { $0 | UInt64(padded[start + $1]) << UInt64($1 * 8) }
      state[3] ^= word
      round()
      state[0] ^= word
    }
    state[2] ^= 0xff
    for _ in 0..<3 { round() }
    return state.reduce(0, ^)
  }

  @Test func everyLength() {
    let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    for count in 0..<200 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      #expect(bytes.withRawSpan { SipHash(key: key).hash($0) } == reference(bytes, key))
    }
  }

  /// As CPython computes `hash(bytes)`, which is SipHash-1-3, with PYTHONHASHSEED=0: its key is 0.
  @Test func knownValues() {
    #expect(
      Array("abc".utf8).withRawSpan { SipHash(key: (0, 0)).hash($0) } == 0xc03b_c3a0_0426_30f2)
    #expect(
      Array("a longer text of 31 bytes, so so".utf8).withRawSpan {
        SipHash(key: (0, 0)).hash($0)
      } == 0xe9a7_fd9f_9108_6871)
  }
}
