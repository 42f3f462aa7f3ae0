/// A checksum over the output of a decoder, updated as the output grows.
enum OutputCheck {
  case none
  case adler32(Adler32)
  case crc32(CRC32)
  case crc64(CRC64)
  case xxh64(XXH64)

  mutating func update(_ bytes: RawSpan) {
    switch self {
    case .none: break
    case .adler32(var sum):
      sum.update(bytes)
      self = .adler32(sum)
    case .crc32(var sum):
      sum.update(bytes)
      self = .crc32(sum)
    case .crc64(var sum):
      sum.update(bytes)
      self = .crc64(sum)
    case .xxh64(var sum):
      sum.update(bytes)
      self = .xxh64(sum)
    }
  }

  /// The checksum of all bytes so far.
  var value: UInt64 {
    switch self {
    case .none: 0
    case .adler32(let sum): UInt64(sum.value)
    case .crc32(let sum): UInt64(sum.value)
    case .crc64(let sum): sum.value
    case .xxh64(let sum): sum.value
    }
  }
}
