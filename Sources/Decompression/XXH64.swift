internal import MemoryAccess

/// The hash of 64 bits, with seed 0, that ends a zstd frame.
///
/// Source: xxHash, doc/xxhash_spec.md, "XXH64 algorithm description".
struct XXH64 {
  private static let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
  private static let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
  private static let prime3: UInt64 = 0x1656_67b1_9e37_79f9
  private static let prime4: UInt64 = 0x85eb_ca77_c2b2_ae63
  private static let prime5: UInt64 = 0x27d4_eb2f_1656_67c5

  private var lanes: (UInt64, UInt64, UInt64, UInt64) = (
    prime1 &+ prime2, prime2, 0, 0 &- prime1
  )
  private var byteCount: UInt64 = 0
  /// Bytes that do not make up a stripe of 32 yet.
  private var rest: [UInt8] = []

  mutating func update(_ bytes: RawSpan) {
    byteCount &+= UInt64(bytes.byteCount)
    var start = 0
    if !rest.isEmpty {
      while rest.count < 32, let byte = bytes.byte(at: start) {
        rest.append(byte)
        start &+= 1
      }
      guard rest.count == 32 else { return }
      _ = rest.withRawSpan { addStripes($0, from: 0) }
      rest.removeAll(keepingCapacity: true)
    }
    start = addStripes(bytes, from: start)
    while let byte = bytes.byte(at: start) {
      rest.append(byte)
      start &+= 1
    }
  }

  /// Adds whole stripes; returns where the first that is not whole begins.
  private mutating func addStripes(_ bytes: RawSpan, from start: Int) -> Int {
    var lanes = lanes
    var start = start
    while let first = bytes.plainWord(atByte: start),
      let second = bytes.plainWord(atByte: start &+ 8),
      let third = bytes.plainWord(atByte: start &+ 16),
      let fourth = bytes.plainWord(atByte: start &+ 24)
    {
      lanes.0 = Self.round(lanes.0, UInt64(littleEndian: first))
      lanes.1 = Self.round(lanes.1, UInt64(littleEndian: second))
      lanes.2 = Self.round(lanes.2, UInt64(littleEndian: third))
      lanes.3 = Self.round(lanes.3, UInt64(littleEndian: fourth))
      start &+= 32
    }
    self.lanes = lanes
    return start
  }

  @inline(__always)
  private static func rotated(_ value: UInt64, by count: UInt64) -> UInt64 {
    value &<< count | value &>> (64 &- count)
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotated(lane &+ word &* prime2, by: 31) &* prime1
  }

  var value: UInt64 {
    var hash: UInt64
    if byteCount >= 32 {
      hash =
        Self.rotated(lanes.0, by: 1) &+ Self.rotated(lanes.1, by: 7)
        &+ Self.rotated(lanes.2, by: 12) &+ Self.rotated(lanes.3, by: 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4
      }
    } else {
      hash = Self.prime5
    }
    hash &+= byteCount
    rest.withRawSpan { bytes in
      var start = 0
      while let word = bytes.plainWord(atByte: start) {
        hash ^= Self.round(0, UInt64(littleEndian: word))
        hash = Self.rotated(hash, by: 27) &* Self.prime1 &+ Self.prime4
        start &+= 8
      }
      if let word = bytes.plainUInt32(atByte: start) {
        hash ^= UInt64(UInt32(littleEndian: word)) &* Self.prime1
        hash = Self.rotated(hash, by: 23) &* Self.prime2 &+ Self.prime3
        start &+= 4
      }
      while let byte = bytes.byte(at: start) {
        hash ^= UInt64(byte) &* Self.prime5
        hash = Self.rotated(hash, by: 11) &* Self.prime1
        start &+= 1
      }
    }
    hash = (hash ^ hash &>> 33) &* Self.prime2
    hash = (hash ^ hash &>> 29) &* Self.prime3
    return hash ^ hash &>> 32
  }
}
