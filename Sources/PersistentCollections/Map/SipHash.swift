import MemoryAccess

/// SipHash-1-3, a keyed hash function: who does not know the key cannot make keys that collide.
///
/// After J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.
struct SipHash {
  let key: (UInt64, UInt64)

  @inline(__always)
  func hash(_ bytes: RawSpan) -> UInt64 {
    var v0 = key.0 ^ 0x736f_6d65_7073_6575
    var v1 = key.1 ^ 0x646f_7261_6e64_6f6d
    var v2 = key.0 ^ 0x6c79_6765_6e65_7261
    var v3 = key.1 ^ 0x7465_6462_7974_6573

    @inline(__always)
    func round() {
      v0 &+= v1
      v1 = (v1 &<< 13 | v1 &>> 51) ^ v0
      v0 = v0 &<< 32 | v0 &>> 32
      v2 &+= v3
      v3 = (v3 &<< 16 | v3 &>> 48) ^ v2
      v0 &+= v3
      v3 = (v3 &<< 21 | v3 &>> 43) ^ v0
      v2 &+= v1
      v1 = (v1 &<< 17 | v1 &>> 47) ^ v2
      v2 = v2 &<< 32 | v2 &>> 32
    }

    var offset = 0
    while let word = bytes.plainWord(atByte: offset) {
      v3 ^= word
      round()
      v0 ^= word
      offset &+= 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.byteCount) &<< 56
    var shift: UInt64 = 0
    while let byte = bytes.byte(at: offset) {
      last |= UInt64(byte) &<< shift
      shift &+= 8
      offset &+= 1
    }
    v3 ^= last
    round()
    v0 ^= last
    v2 ^= 0xff
    round()
    round()
    round()
    return v0 ^ v1 ^ v2 ^ v3
  }
}
